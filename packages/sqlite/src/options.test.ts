import Database from 'libsql'
import { expect, onTestFinished, test } from 'vitest'
import { sqliteStore, type SqliteStoreOptions } from './index.js'

const database = { exec: () => undefined, prepare: () => ({ get: () => undefined, all: () => [], run: () => ({ changes: 0 }) }) }

test.each<[name: string, options: unknown, code: string, message: string]>([
  ['no options', undefined, 'option-invalid', 'option "database" is required'],
  ['an unknown option', { database, path: 'x' }, 'option-unknown', 'unknown option "path"'],
  ['an empty path', { database: '' }, 'option-invalid', 'option "database" is ""'],
  ['a client that is no database', { database: { query: () => {} } }, 'option-invalid', 'option "database" is an object'],
  ['a table that needs quoting', { database, table: 'my keys' }, 'option-invalid', 'option "table" is "my keys"'],
  ['a table that breaks out', { database, table: 'x"; DROP TABLE orders; --' }, 'option-invalid', 'option "table"'],
  ["a table of SQLite's own", { database, table: 'SQLite_keys' }, 'option-invalid', 'option "table"'],
  ['a table beginning with a digit', { database, table: '1keys' }, 'option-invalid', 'option "table"'],
  ['a table too long', { database, table: 'k'.repeat(61) }, 'option-invalid', 'option "table"'],
  ['a timeout without a unit', { database, busyTimeout: '250' }, 'option-invalid', 'option "busyTimeout" is "250"'],
  ['a timeout too long', { database, busyTimeout: '61s' }, 'option-invalid', 'from 0ms to 60s'],
  ['another synchronous', { database, synchronous: 'off' }, 'option-invalid', '"full" or "normal"'],
  ['a clock that is none', { database, now: 5 }, 'option-invalid', 'option "now" is 5'],
])('%s is refused', (_name, options, code, message) => {
  expect(() => sqliteStore(options as SqliteStoreOptions)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }))
})

test.each(['a', '_keys', 'Keys_2', 'k'.repeat(60), 'select'])('the table name %s is taken', async (table) => {
  const memory = new Database(':memory:')
  onTestFinished(() => void memory.close())
  const store = sqliteStore({ database: memory, table })
  expect(await store.sweep(1)).toBe(0)
})
