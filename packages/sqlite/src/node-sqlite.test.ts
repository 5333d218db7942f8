import { expect, test } from 'vitest'
import { startChild } from './testing/child.js'
import { nodeWithSqlite } from './testing/node-with-sqlite.js'

test('node:sqlite on another Node, where this one has none', async () => {
  const report = JSON.parse(await startChild('node-sqlite.mjs', [], nodeWithSqlite()).line())
  const { folder, file, memory, paths } = report

  expect(file.failed).toEqual([])
  // A SQLite file has no notifications.
  const watch = 11
  expect({ passed: file.passed.length, skipped: file.skipped }).toEqual({ passed: file.cases, skipped: watch })
  expect(file.cases).toBeGreaterThanOrEqual(75)
  expect(memory.failed).toEqual([])
  expect({ passed: memory.passed.length, skipped: memory.skipped }).toEqual({ passed: memory.cases, skipped: watch + 6 })

  expect(paths).toEqual({
    kinds: ['claimed', 'done'],
    closed: expect.stringMatching(/not open|finalized/),
    inTransaction: 'store-unusable',
    stillOpen: 1,
    noFolder: {
      code: 'store-unusable',
      message: `sqliteStore: the database ${folder}/none/keys.db cannot be used, this process must be able to write the file and its directory: unable to open database file`,
    },
    aFolder: { code: 'store-unusable', message: expect.stringContaining(`the database ${folder} cannot be used, this process must be able to write`) },
    noDatabase: { code: 'store-unusable', message: `sqliteStore: the database ${folder}/text.db cannot be used: file is not a database` },
  })
})

test('node:sqlite on another Node: transactions', async () => {
  const report = JSON.parse(await startChild('node-sqlite-transactions.mjs', [], nodeWithSqlite()).line())
  expect(report).toEqual({
    contract: { failed: [], passed: expect.any(Number) },
    driver: 'DatabaseSync',
    duplicates: ['done', 'done', 'mismatch', 'claimed'],
    waited: { kind: 'pending', leaseLeft: 1_000 },
    kept: ['1'],
    late: [expect.stringContaining('the transaction is over'), expect.stringContaining('the transaction is over')],
    ended: expect.stringContaining('had ended before its result was stored'),
    unfinishedCursor: true,
    closed: [expect.stringContaining('the store is closed'), expect.stringContaining('not open')],
    effects: ['1', '4', '5'],
    memory: expect.stringContaining('a database in a file'),
  })
  expect(report.contract.passed).toBeGreaterThanOrEqual(18)
})
