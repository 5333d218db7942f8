import type { ClaimResult, Duration, StoredResponse } from '@hopwise/core'
import type { Pool } from 'pg'
import postgres from 'postgres'
import { describe, expect, onTestFinished, test } from 'vitest'
import { createTable, fromPg, pgTransactions, postgresJsTransactions, postgresStore, postgresTransactionStore, type Connect } from '../index.js'
import { counting } from '../testing/counting.js'
import { claimOf, newKey, request, response } from '../testing/requests.js'
import { poolForTest, serverForFile, untilWaiting } from '../testing/server.js'

const server = serverForFile()
const hour = 3_600_000 as Duration
let tables = 0

type Driver = (connectionString: string) => Connect<unknown>

const drivers: Readonly<Record<string, Driver>> = {
  pg: (connectionString) => pgTransactions(poolForTest(connectionString)),
  'postgres.js': (connectionString) => {
    const sql = postgres(connectionString, { onnotice: (notice) => void notices.push(notice['message'] ?? '') })
    onTestFinished(() => sql.end({ timeout: 0 }))
    return postgresJsTransactions(sql)
  },
}

/** What the server warned of; nothing, if all begins and ends match. */
const notices: string[] = []

/** A store, a table of its own, and a table `orders` to have effects in. */
async function setUp(driver: Driver = drivers['pg'] as Driver, options?: { waitsAtMost: number }) {
  const admin = poolForTest(server().connectionString)
  const table = `tx_${++tables}`
  const orders = `orders_${tables}`
  await createTable(fromPg(admin), { table })
  await admin.query(`CREATE TABLE ${orders} (id integer PRIMARY KEY, key text)`)
  const processes = [1, 2].map(() => {
    const pool = counting(driver(server().connectionString))
    const store = postgresTransactionStore({ connect: pool.connect, table, ...options })
    return { pool, store }
  })
  const [{ pool, store }, other] = processes as [(typeof processes)[0], (typeof processes)[0]]
  return { admin, table, orders, pool, store, other, count: (name: string) => countOf(admin, name) }
}

async function countOf(pool: Pool, table: string): Promise<number> {
  return ((await pool.query(`SELECT count(*)::int AS n FROM ${table}`)).rows[0] as { n: number }).n
}

/** Text is compared in no time, a megabyte in an array is not. */
function withHex(stored: StoredResponse | undefined) {
  return stored && { ...stored, body: stored.body && Buffer.from(stored.body).toString('hex') }
}

function transactionIn(result: ClaimResult): unknown {
  expect(result.kind).toBe('claimed')
  return result.kind === 'claimed' ? result.transaction : undefined
}

describe.each(Object.entries(drivers))('through %s', (_name, driver) => {
  test('effect and response are there together, and a retry gets the response', async () => {
    const { store, orders, count, table, pool } = await setUp(driver)
    const first = request()
    const result = await store.claim(first)
    expect(result).toMatchObject({ kind: 'claimed', fence: 1 })
    await store.transactionOf(transactionIn(result)).query(`INSERT INTO ${orders} VALUES ($1::int, $2)`, [1, 'a'])
    expect([await count(orders), await count(table)]).toEqual([0, 0])
    expect(await store.renew(claimOf(first), hour)).toBe(true)
    expect(await store.savePhase(claimOf(first), 'a', '1')).toBe(true)
    expect(await store.complete(claimOf(first), response, hour)).toBe(true)
    expect([await count(orders), await count(table)]).toEqual([1, 1])

    expect(await store.claim(request(first.key))).toEqual({ kind: 'done', response })
    expect(await store.claim(request(first.key, { fingerprint: '0' }))).toEqual({ kind: 'mismatch' })
    expect(await store.complete(claimOf(first), response, hour)).toBe(false)
    expect(await store.renew(claimOf(first), hour)).toBe(false)
    expect(await store.savePhase(claimOf(first), 'a', '1')).toBe(false)
    expect(await store.release(claimOf(first))).toBe(false)
    await expect(store.transactionOf(transactionIn(result)).query('SELECT 1')).rejects.toThrow('is over')
    await pool.allBack()
    expect(pool.givenBack()).toEqual([1, 1, 1])
    expect(pool.broken()).toBe(0)
    expect(notices).toEqual([])
  })

  test.each<[what: string, response: StoredResponse]>([
    ['every byte', { ...response, body: Uint8Array.from({ length: 256 }, (_, at) => at) }],
    ['an empty body', { ...response, body: new Uint8Array() }],
    ['a body not kept, no id, no fields', { status: 204, fields: [], body: null, requestId: undefined }],
    ['1 MiB, quotes and backslashes', { status: 200, fields: [['x', `'"\\'; DROP`]], body: new Uint8Array(2 ** 20).fill(255), requestId: "r'1" }],
  ])('a response with %s comes back as it was', async (_what, stored) => {
    const { store } = await setUp(driver)
    const first = request()
    await store.claim(first)
    expect(await store.complete(claimOf(first), stored, hour)).toBe(true)
    const result = await store.claim(request(first.key))
    expect(withHex(result.kind === 'done' ? result.response : undefined)).toEqual(withHex(stored))
  })

  test('released, all is as if the request had not been', async () => {
    const { store, orders, count, table, pool } = await setUp(driver)
    const first = request()
    const result = await store.claim(first)
    await store.transactionOf(transactionIn(result)).query(`INSERT INTO ${orders} VALUES (1)`)
    expect(await store.release(claimOf(first))).toBe(true)
    expect([await count(orders), await count(table)]).toEqual([0, 0])
    expect(await store.claim(request(first.key, { fingerprint: '0' }))).toMatchObject({ kind: 'claimed', fence: 1 })
    expect(pool.givenBack()).toEqual([1, 0])
  })

  test('a duplicate in another process waits, and gets the response', async () => {
    const { store, other, admin, pool } = await setUp(driver)
    const first = request()
    await store.claim(first)
    const waiting = other.store.claim(request(first.key))
    await untilWaiting(admin, 1)
    await store.complete(claimOf(first), response, hour)
    expect(await waiting).toEqual({ kind: 'done', response })
    await Promise.all([pool.allBack(), other.pool.allBack()])
    expect([pool.givenBack(), other.pool.givenBack()]).toEqual([[1], [1]])
  })

  test('of duplicates that wait in another process, one runs where the first is rolled back', async () => {
    const { store, other, admin, orders, count } = await setUp(driver)
    const first = request()
    await store.claim(first)
    const second = request(first.key)
    const waiting = other.store.claim(second)
    await untilWaiting(admin, 1)
    await store.release(claimOf(first))
    await other.store.transactionOf(transactionIn(await waiting)).query(`INSERT INTO ${orders} VALUES (1)`)
    await other.store.complete(claimOf(second), response, hour)
    expect(await count(orders)).toBe(1)
  })

  test('a duplicate that waited in vain hears that the first one runs, and the wait does not bind the handler', async () => {
    const { store, other } = await setUp(driver, { waitsAtMost: 100 })
    const first = request()
    const result = await store.claim(first)
    const { rows } = await store.transactionOf(transactionIn(result)).query('SHOW lock_timeout')
    expect(rows).toEqual([{ lock_timeout: '0' }])
    expect(await other.store.claim(request(first.key))).toEqual({ kind: 'pending', leaseLeft: 1_000 })
    expect(await store.claim(request(first.key))).toEqual({ kind: 'pending', leaseLeft: 1_000 })
    expect(await store.complete(claimOf(first), response, hour)).toBe(true)
    await other.pool.allBack()
    expect(other.pool.givenBack()).toEqual([1])
  })

  test('a connection that dies in mid-flight leaves nothing, its process lives, and the next claim runs', async () => {
    const { store, other, orders, count, admin, pool } = await setUp(driver)
    const first = request()
    const transaction = store.transactionOf(transactionIn(await store.claim(first)))
    const { rows } = await transaction.query(`INSERT INTO ${orders} VALUES (1) RETURNING pg_backend_pid() AS pid`)
    const waiting = other.store.claim(request(first.key))
    await untilWaiting(admin, 1)
    await admin.query('SELECT pg_terminate_backend($1)', [(rows[0] as { pid: number }).pid])
    expect(await waiting).toMatchObject({ kind: 'claimed', fence: 1 })
    expect(await count(orders)).toBe(0)
    await expect(transaction.query('SELECT 1')).rejects.toThrow()
    await expect(store.complete(claimOf(first), response, hour)).rejects.toThrow()
    expect([pool.givenBack(), pool.broken()]).toEqual([[1], 1])
    // The pool goes on with other connections.
    expect(await store.claim(request())).toMatchObject({ kind: 'claimed' })
  })

  test('a commit that fails is told, and nothing of it is there', async () => {
    const { store, orders, count, table, admin, pool } = await setUp(driver)
    await admin.query(`ALTER TABLE ${orders} ADD parent integer REFERENCES ${orders} DEFERRABLE INITIALLY DEFERRED`)
    for (const body of [response.body, new Uint8Array(100_000)]) {
      const first = request()
      const transaction = store.transactionOf(transactionIn(await store.claim(first)))
      await transaction.query(`INSERT INTO ${orders} (id, parent) VALUES (1, 2)`)
      await expect(store.complete(claimOf(first), { ...response, body }, hour)).rejects.toMatchObject({ code: '23503' })
    }
    expect([await count(orders), await count(table)]).toEqual([0, 0])
    expect([pool.givenBack(), pool.broken()]).toEqual([[1, 1], 0])
  })

  test('a handler that went on after a failed statement cannot be completed', async () => {
    const { store, orders, count, pool } = await setUp(driver)
    const first = request()
    const transaction = store.transactionOf(transactionIn(await store.claim(first)))
    await transaction.query(`INSERT INTO ${orders} VALUES (1)`)
    await expect(transaction.query('SELECT 1 / 0')).rejects.toMatchObject({ code: '22012' })
    await expect(store.complete(claimOf(first), response, hour)).rejects.toMatchObject({ code: '25P02' })
    expect([await count(orders), pool.givenBack()]).toEqual([0, [1]])
  })

  test('a handler that ended the transaction itself loses what it did afterwards, and hears of it', async () => {
    const { store, orders, count, pool } = await setUp(driver)
    const first = request()
    const transaction = store.transactionOf(transactionIn(await store.claim(first)))
    await transaction.query(`ROLLBACK; BEGIN; INSERT INTO ${orders} VALUES (1)`)
    expect(await store.complete(claimOf(first), response, hour)).toBe(false)
    expect([await count(orders), pool.givenBack()]).toEqual([0, [1]])
  })

  test('a sweep removes at most its limit, on a connection of its own', async () => {
    const { store, pool } = await setUp(driver)
    for (let index = 0; index < 5; index++) {
      const first = request()
      await store.claim(first)
      await store.complete(claimOf(first), response, 0 as Duration)
    }
    expect([await store.sweep(3), await store.sweep(10), await store.sweep(10)]).toEqual([3, 2, 0])
    expect(pool.givenBack()).toEqual([1, 1, 1, 1, 1, 1, 1, 1])
  })

  test('a store that cannot be reached rejects, and keeps no connection', async () => {
    const connect = counting(driver('postgres://postgres@127.0.0.1:1/postgres'))
    const store = postgresTransactionStore({ connect: connect.connect })
    await expect(store.claim(request())).rejects.toThrow()
    await expect(store.sweep(1)).rejects.toThrow()
    expect(connect.givenBack()).toEqual([])
  })

  test('a table that is not there: the message says so, and the connection is given back', async () => {
    const connect = counting(driver(server().connectionString))
    const store = postgresTransactionStore({ connect: connect.connect, table: 'nowhere' })
    await expect(store.claim(request())).rejects.toMatchObject({ code: 'store-unusable', message: expect.stringContaining('createTable') })
    await connect.allBack()
    expect([connect.givenBack(), connect.broken()]).toEqual([[1], 0])
  })
})

test('postgres.js: a connection is nobody else\'s from claim to answer, whatever comes of it', async () => {
  const { admin, table, orders } = await setUp()
  await admin.query(`ALTER TABLE ${orders} ADD parent integer REFERENCES ${orders} DEFERRABLE INITIALLY DEFERRED`)
  const sql = postgres(server().connectionString, { max: 2, onnotice: (notice) => void notices.push(notice['message'] ?? '') })
  onTestFinished(() => sql.end({ timeout: 0 }))
  const store = postgresTransactionStore({ connect: postgresJsTransactions(sql), table })
  let stops = false
  // Others want a connection all the time; one inside of our transaction would see it.
  const others = Array.from({ length: 4 }, async () => {
    const seen = new Set<unknown>()
    while (!stops) for (const { open } of await sql`SELECT pg_current_xact_id_if_assigned() IS NOT NULL AS open`) seen.add(open)
    return [...seen]
  })
  const ends = ['complete', 'release', 'fails', 'fails at once', 'replay', 'big'] as const
  for (let round = 0; round < 60; round++) {
    const how = ends[round % ends.length]
    const first = request()
    const { query } = store.transactionOf(transactionIn(await store.claim(first)))
    await query(`INSERT INTO ${orders} (id, parent) VALUES (${round}, ${how === 'fails' ? -1 : 'NULL'})`)
    const { rows } = await query(`SELECT count(*)::int AS n FROM ${orders} WHERE id = $1::int`, [round])
    expect(rows).toEqual([{ n: 1 }])
    if (how === 'fails at once') await query('SELECT 1 / 0').catch(() => undefined)
    if (how === 'release') await store.release(claimOf(first))
    else if (how === 'fails' || how === 'fails at once') await expect(store.complete(claimOf(first), response, hour)).rejects.toThrow()
    else await store.complete(claimOf(first), how === 'big' ? { ...response, body: new Uint8Array(100_000) } : response, hour)
    if (how === 'replay') expect(await store.claim(request(first.key))).toEqual({ kind: 'done', response })
  }
  stops = true
  expect(await Promise.all(others)).toEqual([[false], [false], [false], [false]])
  expect((await admin.query(`SELECT count(*)::int AS n FROM ${orders}`)).rows).toEqual([{ n: 30 }])
  expect(notices).toEqual([])
})

describe('many at once', () => {
  test('30 keys x 20 duplicates in two processes: 30 effects, one response a key', async () => {
    const { store, other, orders, count } = await setUp()
    const run = async (at: number, key: string, process: typeof other) => {
      const own = request(key)
      const result = await process.store.claim(own)
      if (result.kind === 'done') return new TextDecoder().decode(result.response.body ?? undefined)
      await process.store.transactionOf(transactionIn(result)).query(`INSERT INTO ${orders} VALUES ($1::int, $2)`, [at, own.owner])
      await process.store.complete(claimOf(own), { ...response, body: new TextEncoder().encode(own.owner) }, hour)
      return own.owner
    }
    const keys = Array.from({ length: 30 }, () => newKey())
    const answers = await Promise.all(
      keys.map((key, at) => Promise.all(Array.from({ length: 20 }, (_, copy) => run(at, key, copy % 2 === 0 ? { store, pool: other.pool } : other)))),
    )
    expect(answers.map((of) => new Set(of).size)).toEqual(keys.map(() => 1))
    expect(await count(orders)).toBe(30)
  })

  test('duplicates in the process of the first one wait without a connection', async () => {
    const { store, pool } = await setUp()
    const first = request()
    const results = Array.from({ length: 50 }, (_, at) => store.claim(at === 0 ? first : request(first.key)))
    expect((await results[0])?.kind).toBe('claimed')
    expect(pool.givenBack()).toEqual([0])
    expect(await store.claim(request(first.key, { fingerprint: '0' }))).toEqual({ kind: 'mismatch' })
    await store.complete(claimOf(first), response, hour)
    const replays = (await Promise.all(results)).slice(1)
    expect(replays).toEqual(replays.map(() => ({ kind: 'done', response })))
    // Each has bytes of its own.
    expect(new Set(replays.map((result) => result.kind === 'done' && result.response.body?.buffer)).size).toBe(49)
    expect(pool.givenBack().length).toBe(2)
  })
})

describe('beside the store with leases, on one table', () => {
  test('each takes over from the other: pending, done, released, expired', async () => {
    const { store, table, admin } = await setUp()
    const leased = postgresStore({ query: fromPg(admin), table })
    const [pending, done, released, expired, over] = [request(), request(), request(), request(newKey(), { lease: 0 as Duration }), request()]
    for (const each of [pending, done, released, expired, over]) await leased.claim(each)
    await leased.complete(claimOf(done), response, hour)
    await leased.release(claimOf(released))
    await leased.savePhase(claimOf(expired), 'a', '1')
    await leased.complete(claimOf(over), response, 0 as Duration)

    expect(await store.claim(request(pending.key))).toMatchObject({ kind: 'pending', leaseLeft: expect.any(Number) })
    expect(await store.claim(request(done.key))).toEqual({ kind: 'done', response })
    expect(await store.claim(request(released.key, { expired: 'report' }))).toMatchObject({ kind: 'claimed', fence: 2 })
    expect(await store.claim(request(expired.key, { expired: 'report' }))).toEqual({ kind: 'expired', fence: 1 })
    const taker = request(expired.key)
    expect(await store.claim(taker)).toMatchObject({ kind: 'claimed', fence: 2, phases: { a: '1' } })
    expect(await store.complete(claimOf(taker, 2), response, hour)).toBe(true)
    expect(await store.claim(request(over.key, { fingerprint: '0' }))).toMatchObject({ kind: 'claimed', fence: 1 })
    expect(await leased.claim(request(expired.key))).toEqual({ kind: 'done', response })
  })
})
