import { startRedis, type Redis as Server } from '@hopwise/testkit/components'
import { Redis } from 'ioredis'
import { onTestFinished } from 'vitest'
import { redisStore, type RedisStoreOptions } from '../index.js'

/** A Redis of its own, ended after the test. */
export async function privateRedis(): Promise<Server> {
  const server = await startRedis()
  onTestFinished(() => server.stop())
  return server
}

/** An ioredis connection, closed after the test; it gives up at once rather than retrying for a command's sake. */
export function ioredisTo({ port }: { readonly port: number }, options: { readonly autoResendUnfulfilledCommands?: boolean } = {}): Redis {
  const client = new Redis(port, '127.0.0.1', { maxRetriesPerRequest: 1, retryStrategy: () => 20, ...options })
  client.on('error', () => {})
  onTestFinished(() => client.disconnect())
  return client
}

/** A store over a connection of its own, and that connection. */
export function storeOn(server: { readonly port: number }, options: Omit<RedisStoreOptions, 'ioredis'> = {}) {
  const client = ioredisTo(server)
  return { client, store: redisStore({ ioredis: client, ...options }) }
}
