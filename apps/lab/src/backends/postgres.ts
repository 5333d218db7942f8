import { createTable, fromPg, pgTransactions, postgresStore, postgresTransactionStore } from '@hopwise/postgres'
import { Pool } from 'pg'
import type { Backend, BackendAddress } from './backend.js'

const waitsAtMost = '1s'

function poolOf({ port }: BackendAddress): Pool {
  const pool = new Pool({ host: '127.0.0.1', port, user: 'postgres', database: 'postgres', max: 24 })
  // A connection that breaks while it is idle: the pool makes another one.
  pool.on('error', () => {})
  return pool
}

/** Makes the store's table, and one for the effects. */
export async function preparePostgres(address: BackendAddress): Promise<void> {
  const pool = poolOf(address)
  await createTable(fromPg(pool))
  await pool.query('CREATE TABLE IF NOT EXISTS effects (key text NOT NULL)')
  await pool.end()
}

/** PostgreSQL by pg, in either mode. */
export function openPostgres(address: BackendAddress): Backend {
  const pool = poolOf(address)
  const effects = async () => {
    const { rows } = await pool.query<{ key: string; count: string }>('SELECT key, count(*) FROM effects GROUP BY key')
    return new Map(rows.map(({ key, count }) => [key, Number(count)]))
  }
  const insert = 'INSERT INTO effects (key) VALUES ($1)'
  const close = () => pool.end()
  if (address.name === 'postgres') {
    return { store: postgresStore({ query: fromPg(pool) }), mode: 'leased', effect: async (key) => void (await pool.query(insert, [key])), effects, close }
  }
  const store = postgresTransactionStore({ connect: pgTransactions(pool), waitsAtMost })
  return { store, mode: 'same-transaction', effect: async (key, transaction) => void (await store.transactionOf(transaction).query(insert, [key])), effects, close }
}
