import type { ClaimResult, Duration } from '@hopwise/core'
import { sql } from 'drizzle-orm'
import { drizzle } from 'drizzle-orm/node-postgres'
import { integer, pgTable } from 'drizzle-orm/pg-core'
import knexFactory from 'knex'
import { Kysely, PostgresDialect } from 'kysely'
import { expect, test } from 'vitest'
import { createTable, fromPg, pgTransactions, postgresTransactionStore } from '../index.js'
import { claimOf, request, response } from '../testing/requests.js'
import { poolForTest, serverForFile } from '../testing/server.js'

// What the README says of query builders, run.

const server = serverForFile()
const hour = 3_600_000 as Duration
const orders = pgTable('orders', { id: integer('id').primaryKey() })

async function setUp() {
  const pool = poolForTest(server().connectionString)
  await createTable(fromPg(pool))
  await pool.query('CREATE TABLE IF NOT EXISTS orders (id integer PRIMARY KEY); TRUNCATE orders')
  const store = postgresTransactionStore({ connect: pgTransactions(pool) })
  const count = async () => (await pool.query('SELECT count(*)::int AS n FROM orders')).rows[0].n as number
  /** A claim, an effect, and in the end a commit or not. */
  const inTransaction = async (ends: 'complete' | 'release', effect: (transaction: unknown) => Promise<unknown>) => {
    const own = request()
    await effect(transactionIn(await store.claim(own)))
    expect(await count()).toBe(0)
    expect(await (ends === 'complete' ? store.complete(claimOf(own), response, hour) : store.release(claimOf(own)))).toBe(true)
    return count()
  }
  return { store, inTransaction }
}

function transactionIn(result: ClaimResult): unknown {
  return result.kind === 'claimed' ? result.transaction : undefined
}

test('Drizzle', async () => {
  const { store, inTransaction } = await setUp()
  const insert = async (transaction: unknown) => {
    const db = drizzle(store.transactionOf(transaction).native)
    await db.insert(orders).values({ id: 1 })
    expect((await db.execute(sql`SELECT id FROM orders`)).rows).toEqual([{ id: 1 }])
  }
  expect(await inTransaction('release', insert)).toBe(0)
  expect(await inTransaction('complete', insert)).toBe(1)
})

test('Kysely', async () => {
  const { store, inTransaction } = await setUp()
  const insert = async (transaction: unknown) => {
    const { native } = store.transactionOf(transaction)
    // Kysely takes a pool: one that always gives the open client, and leaves the giving back to the store.
    const one = { query: native.query.bind(native) as typeof native.query, release: () => undefined }
    const db = new Kysely<{ orders: { id: number } }>({ dialect: new PostgresDialect({ pool: { connect: async () => one, end: async () => undefined } }) })
    await db.insertInto('orders').values({ id: 1 }).execute()
    expect(await db.selectFrom('orders').selectAll().execute()).toEqual([{ id: 1 }])
  }
  expect(await inTransaction('release', insert)).toBe(0)
  expect(await inTransaction('complete', insert)).toBe(1)
})

test('Knex', async () => {
  const { store, inTransaction } = await setUp()
  const knex = knexFactory({ client: 'pg' })
  const insert = async (transaction: unknown) => {
    const { native } = store.transactionOf(transaction)
    await knex('orders').insert({ id: 1 }).connection(native)
    expect(await knex('orders').select('id').connection(native)).toEqual([{ id: 1 }])
  }
  expect(await inTransaction('release', insert)).toBe(0)
  expect(await inTransaction('complete', insert)).toBe(1)
})
