import { setTimeout as wait } from 'node:timers/promises'
import { freePort } from '@hopwise/testkit/components'
import type { LabNode } from '../nodes.js'
import { seededRandom, type Row } from '../scenario.js'
import type { Certificate } from '../self-signed.js'
import { fronts, type Front, type FrontName } from './front.js'
import { InstanceHandle, type Stopped } from './instance-handle.js'
import { startLoad, type Failure, type Load } from './load.js'

const clients = 32
const requestsPerSecond = 1_000
/** What every server may take to stop before it cuts. */
const deadlineMs = 8_000
/** Traffic before the first restart, between two, and after the last. */
const calmMs = 500

/** One cell of the scenario. */
export interface Cell {
  readonly server: string
  readonly proxy: FrontName
  readonly node: LabNode
  readonly restarts: number
  readonly delayMs: number
  readonly rttMs: number
  readonly tls: Certificate | undefined
  readonly seed: number
}

/** A restart, in milliseconds of performance.now(). */
interface Restart extends Stopped {
  readonly from: number
  readonly to: number
}

/** Restarts two instances in turn under traffic, and counts what got lost. `say` is told where and when. */
export async function runCell(cell: Cell, say: (text: string) => void): Promise<Row> {
  const undo: (() => unknown)[] = []
  try {
    const instances: InstanceHandle[] = []
    for (let index = 0; index < 2; index++) {
      const instance = await newInstance(cell, index)
      undo.push(() => instance.kill())
      await instance.start()
      instances.push(instance)
    }
    const front = await fronts[cell.proxy].start(instances.map(({ port }) => port), cell.tls !== undefined, clients)
    undo.push(() => front.stop())
    await front.inRotation()
    const load = startLoad(front.clients, requestsPerSecond, seededRandom(cell.seed))
    undo.push(() => load.stop())
    const restarts = await restartInTurn(cell, instances, front)
    await load.stop()
    if (cell.server === 'hopwise') for (const line of await evidence(load.failures, restarts, front)) say(line)
    return rowOf(cell, load, restarts)
  } finally {
    for (const step of undo.toReversed()) await step()
  }
}

async function newInstance({ server, proxy, node, tls, rttMs, seed }: Cell, index: number): Promise<InstanceHandle> {
  const policy = { ...fronts[proxy].policy, drain: { ...('drain' in fronts[proxy].policy && fronts[proxy].policy.drain), deadline: deadlineMs } }
  return new InstanceHandle(node.path, { server, port: await freePort(), seed: seed + 1_000 * index, tls, gated: false, policy, deadlineMs }, rttMs, await freePort())
}

async function restartInTurn({ restarts, delayMs }: Cell, instances: readonly InstanceHandle[], front: Front): Promise<Restart[]> {
  const done: Restart[] = []
  await wait(calmMs)
  for (let turn = 0; turn < restarts; turn++) {
    const instance = instances[turn % instances.length]
    if (instance === undefined) continue
    const from = performance.now()
    if (delayMs > 0) {
      instance.leave()
      await wait(delayMs)
    }
    const stopped = await instance.stop()
    await instance.start()
    await front.inRotation()
    done.push({ ...stopped, from, to: performance.now() })
    await wait(calmMs)
  }
  return done
}

function rowOf({ server, proxy, node, restarts: count, delayMs, rttMs, tls }: Cell, load: Load, restarts: readonly Restart[]): Row {
  const kinds = new Map<string, number>()
  for (const { why } of load.failures) kinds.set(why, (kinds.get(why) ?? 0) + 1)
  const stops = restarts.map(({ milliseconds }) => Math.round(milliseconds)).toSorted((one, other) => one - other)
  return {
    server,
    proxy,
    node: node.version,
    restarts: count,
    requests: load.requests(),
    failed: load.failures.length,
    kinds: [...kinds].map(([why, times]) => `${why} x ${times}`).join(', '),
    stop_ms_median: stops[Math.floor(stops.length / 2)] ?? 0,
    stop_ms_max: stops.at(-1) ?? 0,
    forced: restarts.reduce((sum, { forced }) => sum + forced, 0),
    delay_ms: delayMs,
    rtt_ms: rttMs,
    tls: tls === undefined ? 'no' : 'yes',
  }
}

/** Losses and log lines that are told. */
const mostLines = 20

/** Where each loss falls, and what the proxy's log has: a loss is a finding, and this is all that is left of it. */
async function evidence(failures: readonly Failure[], restarts: readonly Restart[], front: Front): Promise<string[]> {
  if (failures.length === 0) return []
  const lines = failures.slice(0, mostLines).map(({ method, why, sentAt, failedAt }) => {
    const index = restarts.findLastIndex(({ from }) => from <= failedAt)
    const restart = restarts[index]
    if (restart === undefined) return `  lost: ${method} ${why}, before the first restart`
    return `  lost: ${method} ${why}, restart ${index + 1}: sent at ${Math.round(sentAt - restart.from)} ms, lost at ${Math.round(failedAt - restart.from)} ms; the old process ended after ${Math.round(restart.milliseconds)} ms, the new one was in rotation at ${Math.round(restart.to - restart.from)} ms`
  })
  const log = await front.errors()
  return [...lines, ...log.slice(0, mostLines).map((line) => `  log (${log.length} lines): ${line}`)]
}
