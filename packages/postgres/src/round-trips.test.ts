import type { Duration, IdempotencyStore } from '@hopwise/core'
import postgres from 'postgres'
import { expect, onTestFinished, test } from 'vitest'
import { createTable, fromPg, fromPostgresJs, pgTransactions, postgresJsTransactions, postgresStore, postgresTransactionStore } from './index.js'
import { counting } from './testing/counting.js'
import { claimOf, request, response } from './testing/requests.js'
import { countRoundTrips } from './testing/round-trips.js'
import { poolForTest, serverForFile } from './testing/server.js'

const server = serverForFile()
const hour = 3_600_000 as Duration
const big = { ...response, body: new Uint8Array(200_000) }
let tables = 0

async function setUp() {
  const table = `trips_${++tables}`
  await createTable(fromPg(poolForTest(server().connectionString)), { table })
  const relay = await countRoundTrips(server().port)
  const url = `postgres://postgres@127.0.0.1:${relay.port}/postgres`
  const sql = (options?: { prepare: boolean }) => {
    const made = postgres(url, { max: 1, fetch_types: false, ...options })
    onTestFinished(() => made.end({ timeout: 0 }))
    return made
  }
  return { table, relay, pool: () => poolForTest(url, { max: 1 }), sql }
}

/** Steps that find all connections in the pool, once the last one is back. */
const fromPool = new Set(['claim', 'replay', 'mismatch', 'claimThree', 'claimFour', 'sweep'])

/** What each step of a request and its retries takes, on connections that were used before. */
async function measure(store: IdempotencyStore, count: () => number, settled: () => Promise<unknown> = async () => undefined) {
  const trips: Record<string, number> = {}
  // The first round opens the connection and lets the driver learn the statements.
  for (const round of ['first', 'measured']) {
    const [one, three, four] = [request(), request(), request()]
    for (const [name, step] of Object.entries<() => Promise<unknown>>({
      claim: () => store.claim(one),
      renew: () => store.renew(claimOf(one), hour),
      savePhase: () => store.savePhase(claimOf(one), 'a', '1'),
      complete: () => store.complete(claimOf(one), response, hour),
      replay: () => store.claim(request(one.key)),
      mismatch: () => store.claim(request(one.key, { fingerprint: '0' })),
      claimThree: () => store.claim(three),
      release: () => store.release(claimOf(three)),
      claimFour: () => store.claim(four),
      completeBig: () => store.complete(claimOf(four), big, hour),
      sweep: () => store.sweep(10),
    })) {
      if (fromPool.has(name)) await settled()
      count()
      await step()
      if (round === 'measured') trips[name] = count()
    }
  }
  return trips
}

const oneEach = { claim: 1, renew: 1, savePhase: 1, complete: 1, replay: 1, mismatch: 1, claimThree: 1, release: 1, claimFour: 1, completeBig: 1, sweep: 1 }

test('with leases, on pg: one each', async () => {
  const { table, relay, pool } = await setUp()
  expect(await measure(postgresStore({ query: fromPg(pool()), table }), relay.count)).toEqual(oneEach)
})

test('with leases, on postgres.js: one each', async () => {
  const { table, relay, sql } = await setUp()
  expect(await measure(postgresStore({ query: fromPostgresJs(sql()), table }), relay.count)).toEqual(oneEach)
})

test('with leases, on postgres.js that prepares nothing: two each', async () => {
  const { table, relay, sql } = await setUp()
  const trips = await measure(postgresStore({ query: fromPostgresJs(sql({ prepare: false })), table }), relay.count)
  expect(trips).toEqual(Object.fromEntries(Object.keys(oneEach).map((name) => [name, 2])))
})

test('in the same transaction, on pg: one for BEGIN and claim, one for result and COMMIT', async () => {
  const { table, relay, pool } = await setUp()
  const { connect, allBack } = counting(pgTransactions(pool()))
  expect(await measure(postgresTransactionStore({ connect, table }), relay.count, allBack)).toEqual({
    ...oneEach,
    renew: 0,
    savePhase: 0,
    completeBig: 2,
    sweep: 2,
  })
})

test('in the same transaction, on postgres.js: one more to begin', async () => {
  const { table, relay, sql } = await setUp()
  const own = sql()
  const { connect, allBack } = counting(postgresJsTransactions(own))
  const settled = async () => {
    await allBack()
    // The driver answers it when it has ended its own transaction.
    await own.unsafe('SELECT 1')
  }
  expect(await measure(postgresTransactionStore({ connect, table }), relay.count, settled)).toEqual({
    ...oneEach,
    claim: 2,
    replay: 2,
    mismatch: 2,
    claimThree: 2,
    claimFour: 2,
    sweep: 3,
    renew: 0,
    savePhase: 0,
    completeBig: 2,
  })
})

test('a connection cut during COMMIT leaves it open what happened, and the retry finds out', async () => {
  const { table, relay, pool } = await setUp()
  const counted = counting(pgTransactions(pool()))
  const store = postgresTransactionStore({ connect: counted.connect, table })
  const first = request()
  await store.claim(first)
  relay.cutNextAnswer()
  await expect(store.complete(claimOf(first), response, hour)).rejects.toThrow()
  expect([counted.givenBack(), counted.broken()]).toEqual([[1], 1])
  expect(await store.claim(request(first.key))).toEqual({ kind: 'done', response })
})

test('a connection cut before COMMIT leaves nothing', async () => {
  const { table, relay, pool } = await setUp()
  const store = postgresTransactionStore({ connect: pgTransactions(pool()), table })
  const first = request()
  await store.claim(first)
  relay.cut()
  await expect(store.complete(claimOf(first), response, hour)).rejects.toThrow()
  const again = request(first.key)
  expect(await store.claim(again)).toMatchObject({ kind: 'claimed', fence: 1 })
  await store.release(claimOf(again))
})
