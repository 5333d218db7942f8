import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, test } from 'vitest'
import { startChild } from './testing/child.js'

/** This Node if it has `node:sqlite`, else the one that the set-up fetched. */
function nodeWithSqlite(): string {
  if (process.getBuiltinModule('node:sqlite') !== undefined) return process.execPath
  const platform = `node-${process.platform}-${process.arch}`
  const path = fileURLToPath(new URL(`../../../node_modules/.cache/hopwise/node-24/node_modules/${platform}/bin/node`, import.meta.url))
  if (!existsSync(path)) throw new Error(`${process.version} has no node:sqlite, and there is no ${path}; run \`node scripts/set-up.mjs node-sqlite\` at the root`)
  return path
}

test('node:sqlite on another Node, where this one has none', async () => {
  const report = JSON.parse(await startChild('node-sqlite.mjs', [], nodeWithSqlite()).line())
  const { folder, file, memory, paths } = report

  expect(file.failed).toEqual([])
  expect({ passed: file.passed.length, skipped: file.skipped }).toEqual({ passed: file.cases, skipped: 0 })
  expect(file.cases).toBeGreaterThanOrEqual(60)
  expect(memory.failed).toEqual([])
  expect({ passed: memory.passed.length, skipped: memory.skipped }).toEqual({ passed: memory.cases, skipped: 5 })

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
