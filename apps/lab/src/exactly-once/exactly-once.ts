import { startNginx } from '@hopwise/testkit/components'
import type { BackendAddress } from '../backends/backend.js'
import { openBackend } from '../backends/open.js'
import { startBackend } from '../backends/start.js'
import { defineScenario, seededRandom, type Asked, type Row } from '../scenario.js'
import { callers, type Caller, type CallerName } from './callers.js'
import { startCuttingRelay } from './cutting-relay.js'
import { causeFaults } from './faults.js'
import { startInstance, type InstanceHandle } from './instance-handle.js'
import { startLoad } from './load.js'
import { tally } from './tally.js'

/**
 * How much is done, and how many calls are made at a time. The short form's are as many as the client's budget has retries in store: one
 * kill can cost each of them one.
 */
const forms = { long: { turns: 10, cutsATurn: 50, lanes: 16 }, short: { turns: 1, cutsATurn: 20, lanes: 10 } }
const callerNames = Object.keys(callers) as CallerName[]
/** The stores in which an order and its key commit together. */
const storeNames = ['sqlite-tx', 'postgres-tx'] as const

/** The client and the server together: kill -9, drains and cut connections under load, and every order once. */
export const exactlyOnce = defineScenario({
  about: 'client and server through nginx under kill -9, drains and cut connections: every order once',
  options: {
    client: { kind: 'words', allowed: callerNames, about: 'who calls [hopwise]; may be said several times' },
    store: { kind: 'words', allowed: storeNames, about: 'only this store; may be said several times' },
    turns: { kind: 'whole', min: 1, max: 1_000, about: 'how many times a kill, a drain and a series of cuts [10]' },
  },
  run: async ({ client, store, turns }, asked) => {
    const rows: Row[] = []
    for (const storeName of store.length > 0 ? store : asked.short ? ['sqlite-tx'] : storeNames) {
      for (const callerName of client.length > 0 ? (client as readonly CallerName[]) : (['hopwise'] as const)) {
        asked.say(`exactly-once: ${callerName}, ${storeName}`)
        rows.push(await runOne(callerName, storeName, turns, asked))
      }
    }
    return { rows, ok: rows.every(({ duplicates, missing }) => duplicates === 0 && missing === 0) }
  },
})

async function runOne(callerName: CallerName, storeName: string, turnsAsked: number | undefined, { seed, short }: Asked): Promise<Row> {
  const { turns, cutsATurn, lanes } = { ...forms[short ? 'short' : 'long'], ...(turnsAsked !== undefined && { turns: turnsAsked }) }
  const undo: (() => unknown)[] = []
  try {
    const backend = await startBackend(storeName)
    undo.push(() => backend.stop())
    const instances: InstanceHandle[] = []
    undo.push(() => instances.map((instance) => instance.kill()))
    for (let index = 0; index < 2; index++) instances.push(await startInstance(backend.address))
    const nginx = await startNginx([{ name: 'orders', upstreamPorts: instances.map(({ port }) => port) }])
    undo.push(() => nginx.stop())
    const relay = await startCuttingRelay(nginx.ports['orders'] ?? 0)
    undo.push(() => relay.stop())
    const random = seededRandom(seed)
    const caller = callers[callerName](`http://127.0.0.1:${relay.port}`)
    const load = startLoad(caller, lanes, random)
    undo.push(() => load.stop())
    const faults = await causeFaults({ turns, cutsATurn }, instances, relay, random)
    await load.stop()
    // What was cut off may still run; a drain waits for it.
    await Promise.all(instances.map((instance) => instance.drain()))
    return { client: callerName, store: storeName.replace('-tx', ''), ...tally(load.made, await ordersOf(backend.address)), ...again(caller), ...faults }
  } finally {
    for (const step of undo.toReversed()) await step()
  }
}

/** How often each order is there, looked at from outside of the API. */
async function ordersOf(address: BackendAddress): Promise<ReadonlyMap<string, number>> {
  const backend = await openBackend(address)
  const rows = await backend.effects()
  await backend.close()
  return rows
}

function again({ again: counts }: Caller): Row {
  const sum = (what: string): number => [...counts].reduce((total, [cause, count]) => (cause.startsWith(what) ? total + count : total), 0)
  return { repaired: sum('repair'), retried: sum('policy') + sum('loop'), causes: [...counts].map(([cause, count]) => `${cause} x ${count}`).join(', ') }
}
