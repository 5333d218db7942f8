// node node-sqlite.mjs: the contract and what belongs to paths, on this Node's own node:sqlite and the built packages.
// Prints one line of JSON; the test that started it says what must be in it.
import { runCases, storeContract } from '@hopwise/testkit/store'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteStore } from '../../dist/index.js'
import { requestFor } from './request.mjs'

let time = 1_700_000_000_000
const now = () => time
const clock = { advance: (by) => void (time += by) }

async function contract(name, shared) {
  const { cases, skipped } = storeContract({
    name,
    clock,
    supports: { sharedData: shared },
    async create() {
      const folder = mkdtempSync(join(tmpdir(), 'hopwise-sqlite-'))
      const database = shared ? join(folder, 'keys.db') : ':memory:'
      const stores = Array.from({ length: shared ? 2 : 1 }, () => sqliteStore({ database, now }))
      const close = async () => {
        for (const store of stores) store.close()
        rmSync(folder, { recursive: true })
      }
      return { store: stores[0], second: stores[1], close }
    },
  })
  return { cases: cases.length, skipped: skipped.length, ...(await runCases(cases)) }
}

function errorOf(step) {
  try {
    step()
    return 'no error'
  } catch ({ code, message }) {
    return { code, message }
  }
}

async function paths(folder) {
  const database = join(folder, 'keys.db')
  const first = sqliteStore({ database, now })
  const request = requestFor(0)
  const claimed = await first.claim(request)
  await first.complete({ ...request, fence: 1 }, { status: 200, fields: [], body: Uint8Array.of(1), requestId: undefined }, 60_000)
  first.close()
  first.close()
  const closed = await first.claim(request).then(() => 'no error', (error) => error.message)

  const second = sqliteStore({ database, now })
  const replayed = await second.claim(requestFor(0))
  second.close()

  const { DatabaseSync } = process.getBuiltinModule('node:sqlite')
  const own = new DatabaseSync(database)
  const third = sqliteStore({ database: own, now })
  own.exec('BEGIN')
  const inTransaction = await third.claim(requestFor(1)).then(() => 'no error', ({ code }) => code)
  own.exec('COMMIT')
  third.close()
  const stillOpen = own.prepare('SELECT 1 AS one').get().one
  own.close()

  const text = join(folder, 'text.db')
  writeFileSync(text, 'not a database '.repeat(100))
  return {
    kinds: [claimed.kind, replayed.kind],
    closed,
    inTransaction,
    stillOpen,
    noFolder: errorOf(() => sqliteStore({ database: join(folder, 'none', 'keys.db') })),
    aFolder: errorOf(() => sqliteStore({ database: folder })),
    noDatabase: errorOf(() => sqliteStore({ database: text })),
  }
}

const folder = mkdtempSync(join(tmpdir(), 'hopwise-sqlite-'))
let report
try {
  report = { folder, file: await contract('file', true), memory: await contract('memory', false), paths: await paths(folder) }
} finally {
  rmSync(folder, { recursive: true })
}
// Last of all: who reads it may end this process.
console.log(JSON.stringify(report))
