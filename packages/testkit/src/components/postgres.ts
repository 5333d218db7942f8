import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { accessSync, constants, readFileSync, readdirSync } from 'node:fs'
import { chown, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { findBinary, MissingComponent } from './find-binary.js'
import { freePort } from './free-port.js'
import { childrenOf } from './process-tree.js'

/** A private PostgreSQL that runs. */
export interface Postgres {
  /** E.g. `15.18`. */
  readonly version: string
  readonly port: number
  /** For the superuser `postgres` and the database `postgres`, who needs no password. */
  readonly connectionString: string
  /** Ends it by its own handle (fast shutdown: connections are told and closed) and removes its folder. Further calls do nothing. */
  stop(): Promise<void>
  /** SIGKILL to the postmaster and all that it started, as after a power cut; the data stay for {@link Postgres.restart}. */
  kill(): Promise<void>
  /** SIGSTOP to all of it: connections stay open, and nothing answers. */
  pause(): void
  /** SIGCONT to all of it. */
  resume(): void
  /** Ends it if it runs, and starts it again with the same data on the same port. */
  restart(): Promise<void>
}

const run = promisify(execFile)

/** Enough for tests; data survive a killed process without fsync, only not a power cut. */
const settings = {
  listen_addresses: '127.0.0.1',
  unix_socket_directories: '',
  fsync: 'off',
  shared_buffers: '16MB',
  max_connections: '100',
  dynamic_shared_memory_type: 'mmap',
}

/**
 * Starts a PostgreSQL of its own: own folder, a free port on 127.0.0.1, in the foreground as a child of this process. As
 * root, whom PostgreSQL refuses, it runs as the user `postgres`.
 * @throws MissingComponent where PostgreSQL is not installed
 */
export async function startPostgres(): Promise<Postgres> {
  const bin = findBinaries()
  if (bin === undefined) throw new MissingComponent('postgresql')
  const { stdout } = await run(join(bin, 'postgres'), ['--version'])
  const version = /(\d[\d.]*)/.exec(stdout)?.[1]
  if (version === undefined) throw new Error(`${bin}/postgres is not a PostgreSQL that runs: ${stdout}`)
  const user = serverUser()
  const folder = await mkdtemp(join(tmpdir(), 'hopwise-postgres-'))
  if (user !== undefined) await chown(folder, user.uid, user.gid)
  const as = { ...user, cwd: folder, env: { ...process.env, LC_ALL: 'C' } }

  const data = join(folder, 'data')
  const removeFolder = () => rm(folder, { recursive: true, force: true })
  const clearAndThrow = async (error: unknown): Promise<never> => {
    await removeFolder()
    throw error
  }
  await run(join(bin, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '-E', 'UTF8', '--locale=C', '--no-sync'], as).catch(clearAndThrow)

  const start = (port: number): Promise<Started> => {
    const options = Object.entries({ ...settings, port }).flatMap(([name, value]) => ['-c', `${name}=${value}`])
    return running(spawn(join(bin, 'postgres'), ['-D', data, ...options], { ...as, stdio: ['ignore', 'ignore', 'pipe'] }))
  }
  const startUntilItRuns = async (choosePort: () => Promise<number>, mayTryAgain: RegExp): Promise<{ child: ChildProcess; port: number }> => {
    for (let triesLeft = 50; ; triesLeft--) {
      const port = await choosePort()
      const started = await start(port)
      if (started.kind === 'running') return { child: started.child, port }
      if (triesLeft === 0 || !mayTryAgain.test(started.log)) throw new Error(`PostgreSQL did not start: ${started.log}`)
    }
  }
  let stopped = false
  const first = await startUntilItRuns(freePort, /Address already in use/).catch(clearAndThrow)
  const { port } = first
  let { child } = first

  const signalAll = (signal: NodeJS.Signals): void => {
    if (child.pid === undefined || isOver(child)) return
    const children = childrenOf(child.pid)
    // The postmaster first, so that it neither starts another one nor notices what happens to them.
    child.kill(signal)
    for (const pid of children) {
      try {
        process.kill(pid, signal)
      } catch {
        // Gone by itself.
      }
    }
  }
  const kill = async (): Promise<void> => {
    if (isOver(child)) return
    const exited = once(child, 'exit')
    signalAll('SIGKILL')
    await exited
  }
  const end = async (): Promise<void> => {
    if (isOver(child)) return
    const exited = once(child, 'exit')
    signalAll('SIGCONT')
    child.kill('SIGINT')
    const timer = setTimeout(() => signalAll('SIGKILL'), 5_000)
    await exited
    clearTimeout(timer)
  }

  return {
    version,
    port,
    connectionString: `postgres://postgres@127.0.0.1:${port}/postgres`,
    async stop() {
      if (stopped) return
      stopped = true
      await end()
      await removeFolder()
    },
    kill,
    pause: () => signalAll('SIGSTOP'),
    resume: () => signalAll('SIGCONT'),
    async restart() {
      await end()
      // After a kill the last of the old processes may still hold the port or the shared memory for a moment.
      child = (await startUntilItRuns(async () => port, /Address already in use|shared memory block|lock file/)).child
    },
  }
}

type Started = { readonly kind: 'running'; readonly child: ChildProcess } | { readonly kind: 'failed'; readonly log: string }

/** Waits until the server says that it is ready, or has ended. Goes on reading its log, which would block it otherwise. */
function running(child: ChildProcess): Promise<Started> {
  return new Promise((resolve) => {
    let log = ''
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4_000)
      if (log.includes('ready to accept connections')) resolve({ kind: 'running', child })
    })
    child.once('error', (error) => resolve({ kind: 'failed', log: error.message }))
    child.once('close', () => resolve({ kind: 'failed', log }))
  })
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined
}

/** The directory of `initdb` and `postgres`: Debian keeps one a version, none of them on the PATH. */
function findBinaries(): string | undefined {
  const onPath = findBinary('initdb')
  if (onPath !== undefined) return dirname(onPath)
  const root = '/usr/lib/postgresql'
  const newestFirst = list(root).toSorted((a, b) => Number(b) - Number(a))
  return newestFirst.map((version) => join(root, version, 'bin')).find((bin) => canRun(join(bin, 'initdb')) && canRun(join(bin, 'postgres')))
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

function canRun(path: string): boolean {
  try {
    accessSync(path, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Whom the server runs as, where it cannot be this process's user. */
function serverUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined
  const line = /^postgres:[^:]*:(\d+):(\d+):/m.exec(readFileSync('/etc/passwd', 'utf8'))
  if (line === null) throw new MissingComponent('postgresql')
  return { uid: Number(line[1]), gid: Number(line[2]) }
}
