import { createHash, randomUUID } from 'node:crypto'
import { memoryStore, type Duration, type StoredResponse } from '@hopwise/core'

/** Fills a memory store with keys, empties it by the passing of time, and fills it again; prints what that costs. */
const keys = Number(process.argv[2])
const lease = 30_000 as Duration
const retention = 86_400_000 as Duration
let time = 0
const store = memoryStore({ now: () => time, maxEntries: keys })
const collect = (globalThis as { gc?: () => void }).gc ?? (() => {})

function heap(): number {
  collect()
  const { heapUsed, external } = process.memoryUsage()
  return heapUsed + external
}

const keyOf = (at: number): string => createHash('sha256').update(String(at)).digest('hex')
const response = (): StoredResponse => ({ status: 201, fields: [['content-type', 'application/json'], ['location', '/orders/1']], body: new TextEncoder().encode('{"id":1,"item":"tea"}'), requestId: randomUUID() })

async function round(): Promise<{ pending: number; done: number }> {
  const before = heap()
  for (let at = 0; at < keys; at++) {
    const result = await store.claim({ key: keyOf(at), owner: 'owner', fingerprint: keyOf(-at), lease, retention, expired: 'take' })
    if (result.kind !== 'claimed') throw new Error(`key ${at}: ${result.kind}`)
  }
  const pending = heap() - before
  for (let at = 0; at < keys; at++) await store.complete({ key: keyOf(at), owner: 'owner', fence: 1 }, response(), retention)
  return { pending, done: heap() - before }
}

const empty = heap()
const first = await round()
time += retention + 2_000
while ((await store.sweep(10_000)) > 0);
const left = heap() - empty
const second = await round()
time += retention + 2_000
while ((await store.sweep(10_000)) > 0);
const leftAgain = heap() - empty
console.log(JSON.stringify({
  store: 'memory',
  keys,
  pending_bytes_a_key: Math.round(first.pending / keys),
  done_bytes_a_key: Math.round(first.done / keys),
  done_bytes_a_key_second_round: Math.round(second.done / keys),
  left_bytes_a_key: Math.round((10 * Math.max(left, leftAgain)) / keys) / 10,
}))
