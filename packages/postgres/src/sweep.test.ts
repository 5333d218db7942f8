import type { Duration } from '@hopwise/core'
import { expect, test } from 'vitest'
import { createTable, fromPg, postgresStore } from './index.js'
import { sweepSql } from './sweep.js'
import { request } from './testing/requests.js'
import { poolForTest, serverForFile } from './testing/server.js'

const server = serverForFile()
const over = { lease: 0 as Duration, retention: 0 as Duration }
let tables = 0

async function setUp() {
  const pool = poolForTest(server().connectionString)
  const table = `sweep_${++tables}`
  await createTable(fromPg(pool), { table })
  return { pool, table, store: postgresStore({ query: fromPg(pool), table }) }
}

test('while another process sweeps, a sweep does nothing; that one over, it does', async () => {
  const { pool, table, store } = await setUp()
  for (let index = 0; index < 5; index++) await store.claim(request(undefined, over))
  const other = await pool.connect()
  await other.query(`BEGIN; SELECT pg_advisory_xact_lock(hashtextextended('hopwise "public"."${table}"', 0))`)
  expect(await store.sweep(10)).toBe(0)
  await other.query('COMMIT')
  other.release()
  expect(await store.sweep(10)).toBe(5)
})

test('of 8 sweeps at once, all together remove each record once', async () => {
  const { store } = await setUp()
  for (let index = 0; index < 40; index++) await store.claim(request(undefined, over))
  let removed = 0
  while (removed < 40) {
    const counts = await Promise.all(Array.from({ length: 8 }, () => store.sweep(10)))
    for (const count of counts) removed += count
  }
  expect(removed).toBe(40)
  expect(await store.sweep(10)).toBe(0)
})

test('a record that somebody works on is left alone, and not waited for', async () => {
  const { pool, table, store } = await setUp()
  const [locked, free] = [request(undefined, over), request(undefined, over)]
  for (const each of [locked, free]) await store.claim(each)
  const other = await pool.connect()
  await other.query(`BEGIN; SELECT FROM ${table} WHERE key = '${locked.key}' FOR UPDATE`)
  expect(await store.sweep(10)).toBe(1)
  await other.query('COMMIT')
  other.release()
  expect(await store.sweep(10)).toBe(1)
})

test('what is over is found by the index', async () => {
  const { pool, table } = await setUp()
  await pool.query(`INSERT INTO ${table} SELECT md5(n::text), 'released', 1, '', '', now(), now() + n * interval '1 hour' FROM generate_series(1, 5000) n`)
  await pool.query(`ANALYZE ${table}`)
  const { rows } = await pool.query(`EXPLAIN ${sweepSql({ schema: 'public', table }, '10')}`)
  expect(JSON.stringify(rows)).toContain(`Index Scan using ${table}_expires_at`)
})
