// node charge-keys.mjs <driver> <path> <count>: handles the requests with keys 0 to count - 1 in an order of its own, each
// as often as it takes to hear its result. A handler inserts one row into "effects", at its leisure, and answers with
// that row's result. Prints "claimed" with each claim, and at last what it heard, as one JSON object: key → result.
import { randomUUID } from 'node:crypto'
import { setTimeout as pause } from 'node:timers/promises'
import { sqliteTransactionStore } from '../../dist/index.js'
import { opener } from './open-connection.mjs'
import { requestFor } from './request.mjs'

const [driver, path, count] = process.argv.slice(2)
const store = sqliteTransactionStore({ open: await opener(driver, path), synchronous: 'normal' })
const heard = {}

async function handle(index) {
  const request = requestFor(index)
  const claimed = await store.claim(request)
  if (claimed.kind === 'done') return new TextDecoder().decode(claimed.response.body)
  if (claimed.kind === 'pending') return undefined
  if (claimed.kind !== 'claimed') throw new Error(`key ${index}: ${claimed.kind}`)
  console.log('claimed')
  const database = store.databaseOf(claimed.transaction)
  const result = randomUUID()
  await pause(Math.random() * 15)
  database.prepare('INSERT INTO effects (key, result) VALUES (?, ?)').run(index, result)
  await pause(Math.random() * 15)
  const claim = { key: request.key, owner: request.owner, fence: claimed.fence }
  // Some handlers fail, and are tried again.
  if (Math.random() < 0.1) {
    await store.release(claim)
    return undefined
  }
  const stored = await store.complete(claim, { status: 201, fields: [], body: new TextEncoder().encode(result), requestId: undefined }, 3_600_000)
  if (!stored) throw new Error(`key ${index}: not stored`)
  return result
}

async function worker(indexes) {
  for (const index of indexes) {
    while (heard[index] === undefined) heard[index] = await handle(index)
  }
}

const order = Array.from({ length: Number(count) }, (_, index) => [Math.random(), index]).toSorted(([a], [b]) => a - b)
// Two requests at a time in each process.
await Promise.all([0, 1].map((half) => worker(order.filter((_, at) => at % 2 === half).map(([, index]) => index))))
store.close()
console.log(JSON.stringify(heard))
