import { join } from 'node:path'
import { sqliteStore, sqliteTransactionStore, type SqliteDatabase } from '@hopwise/sqlite'
import Libsql from 'libsql'
import type { Backend, BackendAddress } from './backend.js'

const insert = 'INSERT INTO effects (key) VALUES (?)'

const open = ({ folder }: BackendAddress) => new Libsql(join(folder, 'lab.db')) as unknown as SqliteDatabase & { close(): void }

/** Makes the table of the effects; the store makes its own. */
export function prepareSqlite(address: BackendAddress): void {
  const database = open(address)
  database.exec('PRAGMA journal_mode = WAL; CREATE TABLE IF NOT EXISTS effects (key TEXT NOT NULL)')
  database.close()
}

/** SQLite by libsql, in either mode. */
export function openSqlite(address: BackendAddress): Backend {
  const own = open(address)
  own.exec('PRAGMA busy_timeout = 5000')
  const effects = async () => {
    const rows = own.prepare('SELECT key, count(*) AS count FROM effects GROUP BY key').all() as { key: string; count: number }[]
    return new Map(rows.map(({ key, count }) => [key, count]))
  }
  if (address.name === 'sqlite') {
    return { store: sqliteStore({ database: open(address), synchronous: 'normal' }), mode: 'leased', effect: async (key) => void own.prepare(insert).run(key), effects, close: async () => own.close() }
  }
  const store = sqliteTransactionStore({ open: () => open(address), waitsAtMost: '5s', synchronous: 'normal' })
  return {
    store,
    mode: 'same-transaction',
    effect: async (key, transaction) => void store.databaseOf(transaction).prepare(insert).run(key),
    effects,
    close: async () => {
      store.close()
      own.close()
    },
  }
}
