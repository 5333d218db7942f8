import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startPostgres, startRedis } from '@hopwise/testkit/components'
import type { BackendServer } from './backend.js'
import { prepareBackend } from './open.js'

/**
 * Starts the real component of a backend, private to this run, with its tables made.
 * @throws MissingComponent where it is not installed
 */
export async function startBackend(name: string): Promise<BackendServer> {
  const server = name.startsWith('redis') ? await redis(name) : name.startsWith('postgres') ? await postgres(name) : await sqlite(name)
  await prepareBackend(server.address)
  return server
}

async function redis(name: string): Promise<BackendServer> {
  const server = await startRedis()
  return {
    address: { name, port: server.port, folder: '' },
    version: `redis ${server.version}`,
    faults: { freeze: () => server.pause(), thaw: () => server.resume(), kill: () => server.kill(), restart: () => server.restart() },
    stop: () => server.stop(),
  }
}

async function postgres(name: string): Promise<BackendServer> {
  const server = await startPostgres()
  return {
    address: { name, port: server.port, folder: '' },
    version: `postgres ${server.version}`,
    faults: { freeze: () => server.pause(), thaw: () => server.resume(), kill: () => server.kill(), restart: () => server.restart() },
    stop: () => server.stop(),
  }
}

async function sqlite(name: string): Promise<BackendServer> {
  const folder = await mkdtemp(join(tmpdir(), 'hopwise-lab-'))
  return {
    address: { name, port: 0, folder },
    version: 'sqlite by libsql',
    stop: () => rm(folder, { recursive: true, force: true }),
  }
}
