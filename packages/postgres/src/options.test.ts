import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import {
  createTable,
  createTableSql,
  postgresStore,
  postgresTransactionStore,
  type PostgresStoreOptions,
  type PostgresTransactionStoreOptions,
  type TableOptions,
} from './index.js'

const query = async () => ({ rows: [] })
const connect = () => Promise.reject(new Error('none'))

const wrongNames: readonly (readonly [name: string, names: Record<string, unknown>, message: string])[] = [
  ['an empty table', { table: '' }, 'option "table" is ""'],
  ['a table of 64 bytes', { table: 'k'.repeat(64) }, '1 to 63 bytes'],
  ['a table of 22 characters, but 66 bytes', { table: '鍵'.repeat(22) }, 'option "table"'],
  ['a table with NUL', { table: 'a\0b' }, 'option "table"'],
  ['a table with half a character', { table: 'a\ud800' }, 'option "table"'],
  ['a table that is a number', { table: 5 }, 'option "table" is 5'],
  ['an empty schema', { schema: '' }, 'option "schema" is ""'],
]

test.each<readonly [name: string, options: unknown, code: string, message: string]>([
  ['no options', undefined, 'option-invalid', 'option "query" is required: fromPg(pool)'],
  ['an unknown option', { query, pool: 1 }, 'option-unknown', 'unknown option "pool"; allowed: query, listen, schema, table'],
  ['a pool instead of a function', { query: { query } }, 'option-invalid', 'option "query" is an object'],
  ['a listener that is none', { query, listen: () => undefined }, 'option-invalid', 'option "listen" is'],
  ...wrongNames.map(([name, names, message]) => [name, { query, ...names }, 'option-invalid', message] as const),
])('postgresStore refuses %s', (_name, options, code, message) => {
  expect(() => postgresStore(options as PostgresStoreOptions)).toThrow(expect.objectContaining({ code, message: expect.stringContaining(message) }))
})

test.each<readonly [name: string, options: unknown, code: string, message: string]>([
  ['no options', undefined, 'option-invalid', 'option "connect" is required: pgTransactions(pool)'],
  ['an unknown option', { connect, query }, 'option-unknown', 'unknown option "query"'],
  ['a pool instead of a function', { connect: {} }, 'option-invalid', 'option "connect" is an object'],
  ['a wait without a unit', { connect, waitsAtMost: '10' }, 'option-invalid', 'option "waitsAtMost" is "10"'],
  ['no wait, which PostgreSQL takes for an endless one', { connect, waitsAtMost: 0 }, 'option-invalid', 'from 1ms to 10m'],
  ['another isolation', { connect, isolation: 'read uncommitted' }, 'option-invalid', '"read committed" or "repeatable read" or "serializable"'],
  ['half a retry', { connect, retries: 0.5 }, 'option-invalid', 'option "retries" is 0.5'],
  ...wrongNames.map(([name, names, message]) => [name, { connect, ...names }, 'option-invalid', message] as const),
])('postgresTransactionStore refuses %s', (_name, options, code, message) => {
  expect(() => postgresTransactionStore(options as PostgresTransactionStoreOptions<unknown>)).toThrow(
    expect.objectContaining({ code, message: expect.stringContaining(message) }),
  )
})

test.each(wrongNames)('createTable and createTableSql refuse %s', async (_name, names, message) => {
  expect(() => createTableSql(names as TableOptions)).toThrow(message)
  await expect(createTable(query, names as TableOptions)).rejects.toThrow(message)
})

test('the shipped migration is what createTableSql gives', () => {
  const shipped = readFileSync(new URL('../migrations/001_hopwise_idempotency.sql', import.meta.url), 'utf8')
  expect(shipped).toBe(createTableSql())
})
