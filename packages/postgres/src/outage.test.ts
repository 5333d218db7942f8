import { startPostgres } from '@hopwise/testkit/components'
import type { Duration, IdempotencyStore } from '@hopwise/core'
import postgres from 'postgres'
import { expect, onTestFinished, test } from 'vitest'
import { createTable, fromPg, fromPostgresJs, pgTransactions, postgresStore, postgresTransactionStore } from './index.js'
import { claimOf, request, response } from './testing/requests.js'
import { poolForTest } from './testing/server.js'

const hour = 3_600_000 as Duration

async function setUp() {
  const server = await startPostgres()
  onTestFinished(() => server.stop())
  const pool = poolForTest(server.connectionString)
  const sql = postgres(server.connectionString, { max: 2, backoff: () => 0 })
  onTestFinished(() => sql.end({ timeout: 0 }))
  await createTable(fromPg(pool))
  return { server, pool, sql }
}

test('a server that is killed: operations reject, and once it is back the records are there', async () => {
  const { server, pool, sql } = await setUp()
  const stores: IdempotencyStore[] = [postgresStore({ query: fromPg(pool) }), postgresStore({ query: fromPostgresJs(sql) })]
  const firsts = stores.map(() => request())
  for (const [at, store] of stores.entries()) await store.claim(firsts[at] ?? request())
  await server.kill()
  for (const store of stores) await expect(store.claim(request())).rejects.toThrow()
  await server.restart()
  for (const [at, store] of stores.entries()) {
    const first = firsts[at] ?? request()
    expect(await store.complete(claimOf(first), response, hour)).toBe(true)
    expect(await store.claim(request(first.key))).toEqual({ kind: 'done', response })
  }
})

test('a server that is restarted: a transaction that was open is gone, and the next claim runs', async () => {
  const { server, pool } = await setUp()
  const store = postgresTransactionStore({ connect: pgTransactions(pool) })
  const [first, second] = [request(), request()]
  for (const each of [first, second]) await store.claim(each)
  await store.complete(claimOf(first), response, hour)
  await server.restart()
  await expect(store.complete(claimOf(second), response, hour)).rejects.toThrow()
  expect(await store.claim(request(first.key))).toEqual({ kind: 'done', response })
  const again = request(second.key)
  expect(await store.claim(again)).toMatchObject({ kind: 'claimed', fence: 1 })
  expect(await store.complete(claimOf(again), response, hour)).toBe(true)
})

test('a server that hangs: what was asked is answered when it goes on', async () => {
  const { server, pool } = await setUp()
  const store = postgresStore({ query: fromPg(pool) })
  await store.claim(request())
  server.pause()
  const asked = store.claim(request())
  expect(await Promise.race([asked, new Promise((resolve) => void setTimeout(resolve, 200, 'no answer'))])).toBe('no answer')
  server.resume()
  expect((await asked).kind).toBe('claimed')
})
