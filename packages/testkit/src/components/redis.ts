import { execFile, spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { findBinary, MissingComponent } from './find-binary.js'
import { freePort } from './free-port.js'

/** A private Redis that runs. */
export interface Redis {
  /** E.g. `7.0.15`. */
  readonly version: string
  readonly port: number
  /** `redis://127.0.0.1:<port>` */
  readonly url: string
  /** Ends it by its own handle and removes its folder. Further calls do nothing. */
  stop(): Promise<void>
  /** SIGSTOP: connections stay open and are even accepted, and nothing answers. */
  pause(): void
  /** SIGCONT. */
  resume(): void
  /** SIGKILL, as after a crash. What it held is lost: it saves nothing. */
  kill(): Promise<void>
  /** Ends it if it runs, and starts it again on the same port, empty. */
  restart(): Promise<void>
}

/** A private Redis Cluster that runs. */
export interface RedisCluster {
  readonly version: string
  /** Its masters, each with a third of the slots and no replica. */
  readonly nodes: readonly Redis[]
  /** Ends all of them. Further calls do nothing. */
  stop(): Promise<void>
}

const run = promisify(execFile)

/**
 * Starts a Redis of its own: own folder, a free port on 127.0.0.1, in the foreground as a child of this process, without
 * persistence.
 * @throws MissingComponent where Redis is not installed
 */
export function startRedis(): Promise<Redis> {
  return startServer([])
}

/**
 * Starts three masters of their own on 127.0.0.1 and joins them to one cluster; gives it when each of them says that the
 * cluster is there. Takes about 2 s.
 * @throws MissingComponent where Redis is not installed
 */
export async function startRedisCluster(): Promise<RedisCluster> {
  const client = findBinary('redis-cli')
  if (client === undefined) throw new MissingComponent('redis-tools')
  const clusterArguments = ['--cluster-enabled', 'yes', '--cluster-config-file', 'nodes.conf', '--cluster-node-timeout', '2000']
  const nodes: Redis[] = []
  const stop = async (): Promise<void> => void (await Promise.all(nodes.map((node) => node.stop())))
  try {
    for (let count = 0; count < 3; count++) nodes.push(await startServer(clusterArguments))
    const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`)
    await run(client, ['--cluster', 'create', ...addresses, '--cluster-replicas', '0', '--cluster-yes'])
    for (const { port } of nodes) await untilClusterIsOk(client, port)
  } catch (error) {
    await stop()
    throw error
  }
  return { version: nodes[0]?.version ?? '', nodes, stop }
}

async function untilClusterIsOk(client: string, port: number): Promise<void> {
  for (let triesLeft = 300; ; triesLeft--) {
    const { stdout } = await run(client, ['-h', '127.0.0.1', '-p', String(port), 'cluster', 'info'])
    // Each node must know the others too, or it sends clients the slots of a smaller cluster.
    if (stdout.includes('cluster_state:ok') && stdout.includes('cluster_known_nodes:3') && stdout.includes('cluster_size:3')) return
    if (triesLeft === 0) throw new Error(`the Redis Cluster does not come up at port ${port}:\n${stdout}`)
    await new Promise((resolve) => setTimeout(resolve, 100))
  }
}

async function startServer(extraArguments: readonly string[]): Promise<Redis> {
  const binary = findBinary('redis-server')
  if (binary === undefined) throw new MissingComponent('redis-server')
  const { stdout } = await run(binary, ['--version'])
  const version = /v=([\d.]+)/.exec(stdout)?.[1]
  if (version === undefined) throw new Error(`${binary} is not a Redis that runs: ${stdout}`)
  const folder = await mkdtemp(join(tmpdir(), 'hopwise-redis-'))
  const removeFolder = () => rm(folder, { recursive: true, force: true })

  const startOn = (port: number): Promise<Started> =>
    running(
      spawn(binary, ['--bind', '127.0.0.1', '--port', String(port), '--save', '', '--appendonly', 'no', '--dir', folder, ...extraArguments], {
        cwd: folder,
        stdio: ['ignore', 'pipe', 'ignore'],
      }),
    )
  const startUntilItRuns = async (choosePort: () => Promise<number>): Promise<{ child: ChildProcess; port: number }> => {
    for (let triesLeft = 20; ; triesLeft--) {
      const port = await choosePort()
      const started = await startOn(port)
      if (started.kind === 'running') return { child: started.child, port }
      // A member of a cluster also listens at port + 10,000.
      if (triesLeft === 0 || !/Address already in use|listening on port|bind/i.test(started.log)) {
        throw new Error(`Redis did not start: ${started.log}`)
      }
    }
  }

  const first = await startUntilItRuns(freePort).catch(async (error: unknown) => {
    await removeFolder()
    throw error
  })
  const { port } = first
  let { child } = first
  let stopped = false

  const end = async (signal: 'SIGTERM' | 'SIGKILL'): Promise<void> => {
    if (isOver(child)) return
    const exited = once(child, 'exit')
    child.kill(signal)
    child.kill('SIGCONT')
    const timer = setTimeout(() => child.kill('SIGKILL'), 5_000)
    await exited
    clearTimeout(timer)
  }

  return {
    version,
    port,
    url: `redis://127.0.0.1:${port}`,
    async stop() {
      if (stopped) return
      stopped = true
      await end('SIGTERM')
      await removeFolder()
    },
    pause: () => void child.kill('SIGSTOP'),
    resume: () => void child.kill('SIGCONT'),
    kill: () => end('SIGKILL'),
    async restart() {
      await end('SIGTERM')
      child = (await startUntilItRuns(async () => port)).child
    },
  }
}

type Started = { readonly kind: 'running'; readonly child: ChildProcess } | { readonly kind: 'failed'; readonly log: string }

/** Waits until the server says that it is ready, or has ended. Goes on reading its log, which would block it otherwise. */
function running(child: ChildProcess): Promise<Started> {
  return new Promise((resolve) => {
    let log = ''
    child.stdout?.setEncoding('utf8').on('data', (text: string) => {
      log = (log + text).slice(-4_000)
      if (/ready to accept connections/i.test(log)) resolve({ kind: 'running', child })
    })
    child.once('error', (error) => resolve({ kind: 'failed', log: error.message }))
    child.once('close', () => resolve({ kind: 'failed', log }))
  })
}

function isOver(child: ChildProcess): boolean {
  return child.exitCode !== null || child.signalCode !== null || child.pid === undefined
}
