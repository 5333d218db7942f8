import type { Duration } from '@hopwise/core'
import { expect, test, vi } from 'vitest'
import { createTable, fromPg, pgTransactions, postgresTransactionStore, type PostgresTransactionStoreOptions } from '../index.js'
import { counting } from '../testing/counting.js'
import { claimOf, request, response } from '../testing/requests.js'
import { poolForTest, serverForFile, untilWaiting } from '../testing/server.js'

const server = serverForFile()
const hour = 3_600_000 as Duration
let tables = 0

async function setUp(options?: Partial<PostgresTransactionStoreOptions<unknown>>) {
  const admin = poolForTest(server().connectionString)
  const table = `tx_${++tables}`
  const counters = `counters_${tables}`
  await createTable(fromPg(admin), { table })
  await admin.query(`CREATE TABLE ${counters} (id integer PRIMARY KEY, value integer); INSERT INTO ${counters} VALUES (1, 0), (2, 0)`)
  const pool = counting(pgTransactions(poolForTest(server().connectionString, { options: '-c deadlock_timeout=10ms' })))
  const store = postgresTransactionStore({ connect: pool.connect, table, ...options })
  const open = async (own = request()) => {
    const result = await store.claim(own)
    return { own, claim: claimOf(own), transaction: result.kind === 'claimed' ? result.transaction : undefined }
  }
  const values = async () => (await admin.query(`SELECT value FROM ${counters} ORDER BY id`)).rows.map((row: { value: number }) => row.value)
  const increment = (id: number) => `UPDATE ${counters} SET value = value + 1 WHERE id = ${id}`
  return { admin, table, pool, store, open, values, increment }
}

const serializationFailure = Object.assign(new Error('could not serialize access'), { code: '40001' })

test.each(['repeatable read', 'serializable'] as const)('%s: work that met a newer row is done again, and is there once', async (isolation) => {
  const { admin, pool, store, open, values, increment } = await setUp({ isolation })
  const { claim, transaction } = await open()
  let runs = 0
  const result = await store.withTransaction(transaction, async ({ query }) => {
    expect((await query('SHOW transaction_isolation')).rows).toEqual([{ transaction_isolation: isolation }])
    if (++runs === 1) await admin.query(increment(1))
    await query(increment(2))
    await query(increment(1))
    return runs
  })
  expect(result).toBe(2)
  expect(await store.complete(claim, response, hour)).toBe(true)
  expect(await values()).toEqual([2, 1])
  expect([pool.givenBack(), pool.broken()]).toEqual([[1], 0])
})

test('of two handlers that lock each other, one is done again, and both are there once', async () => {
  const { pool, store, open, values, increment } = await setUp()
  const both = await Promise.all([open(), open()])
  let runs = 0
  let locked = 0
  let meet: () => void = () => undefined
  const haveMet = new Promise<void>((resolve) => (meet = resolve))
  const work = (order: readonly number[], index: number) =>
    store.withTransaction(both[index]?.transaction, async ({ query }) => {
      runs++
      await query(increment(order[0] ?? 0))
      if (++locked === 2) meet()
      await haveMet
      await query(increment(order[1] ?? 0))
    })
  await Promise.all(
    both.map(async ({ claim }, index) => {
      await work(index === 0 ? [1, 2] : [2, 1], index)
      await store.complete(claim, response, hour)
    }),
  )
  expect(runs).toBe(3)
  expect(await values()).toEqual([2, 2])
  expect(pool.givenBack()).toEqual([1, 1])
})

test('a deadlock that a query builder wraps is known by its cause', async () => {
  const { store, open } = await setUp()
  const { transaction } = await open()
  const work = vi.fn<() => Promise<string>>()
  const deadlock = Object.assign(new Error('deadlock detected'), { code: '40P01' })
  work.mockRejectedValueOnce(new Error('query failed', { cause: deadlock })).mockResolvedValueOnce('done')
  expect(await store.withTransaction(transaction, work)).toBe('done')
})

test('work is done again at most `retries` times, and then its error is the answer', async () => {
  const { pool, store, open } = await setUp({ retries: 2 })
  const { claim, transaction } = await open()
  const work = vi.fn<() => Promise<never>>().mockRejectedValue(serializationFailure)
  await expect(store.withTransaction(transaction, work)).rejects.toBe(serializationFailure)
  expect(work).toHaveBeenCalledTimes(3)
  expect(await store.release(claim)).toBe(true)
  expect(pool.givenBack()).toEqual([1])
})

test('other errors are thrown at once', async () => {
  const { store, open } = await setUp()
  const { transaction } = await open()
  const work = vi.fn<() => Promise<never>>().mockRejectedValue(new Error('no stock'))
  await expect(store.withTransaction(transaction, work)).rejects.toThrow('no stock')
  expect(work).toHaveBeenCalledTimes(1)
})

test('a key that somebody else took while the work was begun anew is lost, and nothing of the work is there', async () => {
  const { admin, table, pool, store, open, values, increment } = await setUp()
  const other = postgresTransactionStore({ connect: pgTransactions(poolForTest(server().connectionString)), table })
  const { own, claim, transaction } = await open()
  const second = request(own.key)
  const waiting = other.claim(second)
  await untilWaiting(admin, 1)
  // Between our rollback and our next claim.
  pool.before = async (text) => {
    if (!text.startsWith('BEGIN')) return
    expect(await waiting).toMatchObject({ kind: 'claimed' })
    await other.complete(claimOf(second), response, hour)
  }
  const work = async ({ query }: { query(text: string): Promise<unknown> }) => {
    await query(increment(1))
    throw serializationFailure
  }
  await expect(store.withTransaction(transaction, work)).rejects.toMatchObject({ code: 'lease-lost' })
  expect(await store.complete(claim, response, hour)).toBe(false)
  expect(await values()).toEqual([0, 0])
  expect([pool.givenBack(), pool.broken()]).toEqual([[1], 0])
  await expect(store.withTransaction(transaction, work)).rejects.toThrow('is over')
})

test('given up while the work is begun anew, the connection goes back once, and the work ends', async () => {
  const { pool, store, open } = await setUp()
  const { claim, transaction } = await open()
  let released: Promise<boolean> | undefined
  pool.before = (text) => {
    if (text === 'ROLLBACK') released ??= store.release(claim)
  }
  await expect(store.withTransaction(transaction, () => Promise.reject(serializationFailure))).rejects.toMatchObject({ code: 'lease-lost' })
  expect(await released).toBe(true)
  expect([pool.givenBack(), pool.broken()]).toEqual([[1], 0])
})

test('a connection that is lost while the work is begun anew is destroyed, and the error tells', async () => {
  const { admin, pool, store, open } = await setUp()
  const { claim, transaction } = await open()
  const { rows } = await store.transactionOf(transaction).query('SELECT pg_backend_pid() AS pid')
  await admin.query('SELECT pg_terminate_backend($1)', [(rows[0] as { pid: number }).pid])
  await expect(store.withTransaction(transaction, () => Promise.reject(serializationFailure))).rejects.not.toBe(serializationFailure)
  expect(await store.release(claim)).toBe(false)
  expect([pool.givenBack(), pool.broken()]).toEqual([[1], 1])
})

test('what is no transaction of this store is refused', async () => {
  const { store } = await setUp()
  const { open } = await setUp()
  for (const wrong of [undefined, null, {}, 'x', (await open()).transaction]) {
    expect(() => store.transactionOf(wrong)).toThrow(expect.objectContaining({ code: 'store-unusable', message: expect.stringContaining('ticket') }))
    await expect(store.withTransaction(wrong, async () => 1)).rejects.toMatchObject({ code: 'store-unusable' })
  }
})
