import { randomUUID } from 'node:crypto'
import type { ClaimRequest, Duration, IdempotencyStore, StoredResponse } from '@hopwise/core'
import { backendNames, storeOption } from './backends/names.js'
import { openBackend } from './backends/open.js'
import { startBackend } from './backends/start.js'
import { defineScenario, type Row } from './scenario.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

/** What a first request costs at most: its claim and its result. Everything else is decided by the claim. */
const limits = { first: 2, replay: 1, conflict: 1, mismatch: 1 } as const

const response: StoredResponse = { status: 201, fields: [['content-type', 'application/json']], body: new TextEncoder().encode('{"id":1}'), requestId: 'request-1' }
const quietMs = 100
const hour = 3_600_000 as Duration

/** Counts what is waited for: the exchanges with the database before each answer, seen by a TCP proxy. */
export const roundtrips = defineScenario({
  about: 'exchanges with the database before each kind of answer, counted by a TCP proxy',
  options: { store: storeOption },
  run: async ({ store }) => {
    const rows: Row[] = []
    for (const name of backendNames.filter((one) => !one.startsWith('sqlite') && (store.length === 0 || store.includes(one)))) {
      rows.push(...(await countOne(name)))
    }
    return { rows, ok: rows.length > 0 && rows.every(({ op, roundtrips: count }) => Number(count) <= limits[op as keyof typeof limits]) }
  },
})

async function countOne(name: string): Promise<Row[]> {
  const server = await startBackend(name)
  const proxy = await startTcpProxy(server.address.port)
  const backend = await openBackend({ ...server.address, port: proxy.port })
  try {
    const { store, mode } = backend
    const count = counter(proxy)
    // Connections are made and scripts are loaded before anything is counted.
    for (let warm = 0; warm < 3; warm++) await runWhole(store, request())
    const done = request()
    const first = await count(() => runWhole(store, done))
    const replay = await count(() => store.claim(again(done)))
    const mismatch = await count(() => store.claim({ ...again(done), fingerprint: 'f'.repeat(64) }))
    const rows: Row[] = [['first', first], ['replay', replay], ['mismatch', mismatch]].map(([op, seen]) => ({ store: name.replace('-tx', ''), mode, op: op as string, roundtrips: seen as number }))
    const pending = request()
    const held = await store.claim(pending)
    // In same-transaction mode this one waits for the lock, and is told when the wait is over.
    rows.push({ store: name.replace('-tx', ''), mode, op: 'conflict', roundtrips: await count(() => store.claim(again(pending))) })
    if (held.kind === 'claimed') await store.release({ key: pending.key, owner: pending.owner, fence: held.fence })
    return rows
  } finally {
    await backend.close()
    await proxy.stop()
    await server.stop()
  }
}

function counter(proxy: TcpProxy) {
  return async (work: () => Promise<unknown>): Promise<number> => {
    // What an operation leaves behind for later (a ROLLBACK that nobody waits for) belongs to no answer.
    await proxy.quiet(quietMs)
    const before = proxy.roundTrips()
    await work()
    return proxy.roundTrips() - before
  }
}

function request(): ClaimRequest {
  return { key: randomUUID().replaceAll('-', '').repeat(2), owner: randomUUID(), fingerprint: 'a'.repeat(64), lease: hour, retention: hour, expired: 'take' }
}

function again(first: ClaimRequest): ClaimRequest {
  return { ...first, owner: randomUUID() }
}

/** A whole first request: claim and complete. */
async function runWhole(store: IdempotencyStore, wanted: ClaimRequest): Promise<void> {
  const result = await store.claim(wanted)
  if (result.kind !== 'claimed') throw new Error(`expected a claim, got ${result.kind}`)
  const held = await store.complete({ key: wanted.key, owner: wanted.owner, fence: result.fence }, response, hour)
  if (!held) throw new Error('the claim was not held')
}
