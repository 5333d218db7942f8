import type { Duration, IdempotencyStore } from '@hopwise/core'
import { storeContract, type ContractCase } from '@hopwise/testkit/store'
import { Client, Pool } from 'pg'
import postgres from 'postgres'
import { afterAll, describe, expect, onTestFinished, test } from 'vitest'
import { createTable, fromPg, fromPostgresJs, pgListener, postgresJsListener, postgresStore, type Listener, type PostgresStore, type Query } from './index.js'
import { serverForFile, poolForTest } from './testing/server.js'
import { claimOf, newKey, request, response } from './testing/requests.js'

const server = serverForFile()
const seconds = (count: number) => (count * 1_000) as Duration

/** The server's clock is real: an advance waits. */
const clock = { advance: (by: Duration) => new Promise<void>((resolve) => void setTimeout(resolve, by)), unit: 400 }

let tables = 0

/** The contract through one driver: two stores with a connection pool each, on a table of their own. */
function contractOn(name: string, open: () => { query: Query; listen: Listener; end(): Promise<unknown> }): ContractCase[] {
  let ends: (() => Promise<unknown>)[] = []
  let opened: ReturnType<typeof open>[] = []
  afterAll(async () => void (await Promise.all(ends.map((end) => end()))))
  return storeContract({
    name,
    clock,
    supports: { sharedData: true, watch: true },
    async create() {
      if (opened.length === 0) {
        opened = [open(), open()]
        ends = opened.map(({ end }) => end)
      }
      const [one, two] = opened as [ReturnType<typeof open>, ReturnType<typeof open>]
      const table = `contract_${++tables}`
      await createTable(one.query, { table })
      const [store, second] = [one, two].map(({ query, listen }) => postgresStore({ query, listen, table })) as [PostgresStore, PostgresStore]
      const close = async () => {
        await Promise.all([store.close(), second.close()])
        await one.query(`DROP TABLE ${table}`, [])
      }
      return { store, second, close }
    },
  }).cases
}

const pg = contractOn('pg', () => {
  const pool = new Pool({ connectionString: server().connectionString })
  const listen = pgListener(() => new Client({ connectionString: server().connectionString }))
  return { query: fromPg(pool), listen, end: () => pool.end() }
})
const postgresJs = contractOn('postgres.js', () => {
  const sql = postgres(server().connectionString, { onnotice: () => undefined })
  return { query: fromPostgresJs(sql), listen: postgresJsListener(sql), end: () => sql.end() }
})
const unprepared = contractOn('postgres.js with prepare: false and camel case', () => {
  const sql = postgres(server().connectionString, { onnotice: () => undefined, prepare: false, transform: postgres.camel })
  return { query: fromPostgresJs(sql), listen: postgresJsListener(sql), end: () => sql.end() }
})

describe('the store contract', () => {
  test.concurrent.each([...pg, ...postgresJs, ...unprepared])('$name', ({ run }) => run())
})

async function newStore(changes?: { schema?: string; table?: string }) {
  const pool = poolForTest(server().connectionString)
  const names = { table: `test_${++tables}`, ...changes }
  await createTable(fromPg(pool), names)
  return { pool, names, store: postgresStore({ query: fromPg(pool), ...names }) }
}

describe('beyond the contract', () => {
  test('of 20 claimers of each of 300 keys at once, one has it, and the others hear that it is held', async () => {
    const { pool, names } = await newStore()
    let statements = 0
    const store = postgresStore({
      ...names,
      query(text, values) {
        statements++
        return fromPg(pool)(text, values)
      },
    })
    const keys = Array.from({ length: 300 }, () => newKey())
    const results = await Promise.all(keys.map((key) => Promise.all(Array.from({ length: 20 }, () => store.claim(request(key))))))
    const kinds = results.map((of) => of.map(({ kind }) => kind).toSorted())
    expect(kinds).toEqual(keys.map(() => ['claimed', ...Array.from({ length: 19 }, () => 'pending')]))
    // Each claim is run again where it met one that was not finished, and then sees it.
    expect(statements).toBeLessThanOrEqual(2 * 300 * 20)
  })

  test.each([
    ['a schema and a table with quotes, spaces and capitals', 'My "odd" schema', `keys'; DROP TABLE x; -- "quoted"`],
    ['names of 63 bytes', 's'.repeat(63), 't'.repeat(63)],
    ['names beyond ASCII', 'スキーマ', '鍵の表'],
    ['reserved words, a dollar and a backslash', 'select', 'user$1\\'],
  ])('%s', async (_what, schema, table) => {
    const pool = poolForTest(server().connectionString)
    await pool.query(`CREATE SCHEMA "${schema.replaceAll('"', '""')}"`)
    const store = postgresStore({ query: fromPg(pool), schema, table })
    await createTable(fromPg(pool), { schema, table })
    await createTable(fromPg(pool), { schema, table })
    const first = request()
    expect((await store.claim(first)).kind).toBe('claimed')
    expect(await store.complete(claimOf(first), response, seconds(60))).toBe(true)
    expect(await store.claim(request(first.key))).toEqual({ kind: 'done', response })
    expect(await store.sweep(10)).toBe(0)
    const { rows } = await pool.query('SELECT count(*)::int AS n FROM pg_indexes WHERE schemaname = $1 AND tablename = $2', [schema, table])
    expect(rows).toEqual([{ n: 2 }])
  })

  test('two tables whose long names differ at their end have an index each', async () => {
    const { pool } = await newStore({ table: `${'k'.repeat(62)}1` })
    await createTable(fromPg(pool), { table: `${'k'.repeat(62)}2` })
    const { rows } = await pool.query(`SELECT count(*)::int AS n FROM pg_indexes WHERE tablename LIKE 'kkk%'`)
    expect(rows).toEqual([{ n: 4 }])
  })

  test('of 8 processes that make the table at once, none fails', async () => {
    const pool = poolForTest(server().connectionString, { max: 8 })
    for (let round = 0; round < 5; round++) {
      await Promise.all(Array.from({ length: 8 }, () => createTable(fromPg(pool), { table: `made_${round}` })))
    }
  })

  test('a table that is not there: the message says how to make it', async () => {
    const store = postgresStore({ query: fromPg(poolForTest(server().connectionString)), table: 'nowhere' })
    const refusal = { code: 'store-unusable', message: expect.stringContaining('the table "public"."nowhere" is not there: make it with createTable()') }
    await expect(store.claim(request())).rejects.toMatchObject(refusal)
    await expect(store.sweep(1)).rejects.toMatchObject(refusal)
  })

  test('phases keep names and values that jsonb itself could not', async () => {
    const { store } = await newStore()
    const first = request(newKey(), { lease: 1 as Duration })
    await store.claim(first)
    const phases = { charge: '{"id":1}', 'nul\0': '"\\u0000"', 'half \ud800': 'null', __proto__x: '1', 'a"b\\': '"ü"' }
    for (const [name, value] of Object.entries(phases)) expect(await store.savePhase(claimOf(first), name, value)).toBe(true)
    expect(await store.savePhase(claimOf(first), '__proto__', '2')).toBe(true)
    await takenOver(store, first.key)
      .then((result) => expect(result).toEqual({ kind: 'claimed', fence: 2, phases: Object.fromEntries([...Object.entries(phases), ['__proto__', '2']]) }))
  })

  test('a replayed body is plain bytes and the caller\'s own', async () => {
    const { store } = await newStore()
    const first = request()
    await store.claim(first)
    await store.complete(claimOf(first), response, seconds(60))
    const result = await store.claim(request(first.key))
    const body = result.kind === 'done' ? result.response.body : undefined
    expect(body?.constructor).toBe(Uint8Array)
    expect(body?.byteLength).toBe(body?.buffer.byteLength)
  })

  test.each(['repeatable read', 'serializable'])('a database whose default isolation is %s is claimed as well', async (isolation) => {
    const { names } = await newStore()
    const pool = poolForTest(server().connectionString, { options: `-c default_transaction_isolation=${isolation.replace(' ', '\\ ')}` })
    const store = postgresStore({ query: fromPg(pool), ...names })
    const keys = Array.from({ length: 20 }, () => newKey())
    const results = await Promise.all(keys.flatMap((key) => Array.from({ length: 10 }, () => store.claim(request(key)))))
    expect(results.filter(({ kind }) => kind === 'claimed').length).toBe(20)
    expect(results.filter(({ kind }) => kind === 'pending').length).toBe(180)
  })

  test('a replay and a refusal only read: they wait for no lock', async () => {
    const { pool, store, names } = await newStore()
    const [done, held] = [request(), request()]
    for (const each of [done, held]) await store.claim(each)
    await store.complete(claimOf(done), response, seconds(60))
    const locker = await pool.connect()
    onTestFinished(() => locker.release())
    await locker.query(`BEGIN; SELECT FROM ${names.table} FOR UPDATE`)
    expect(await store.claim(request(done.key))).toEqual({ kind: 'done', response })
    expect((await store.claim(request(held.key))).kind).toBe('pending')
    expect(await store.claim(request(held.key, { fingerprint: '0' }))).toEqual({ kind: 'mismatch' })
    await locker.query('ROLLBACK')
  })
})

/** The claim that takes the key as soon as its lease is over. */
async function takenOver(store: IdempotencyStore, key: string) {
  for (;;) {
    const result = await store.claim(request(key))
    if (result.kind !== 'pending') return result
  }
}
