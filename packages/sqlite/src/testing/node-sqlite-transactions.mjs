// node node-sqlite-transactions.mjs: the same-transaction mode on this Node's own node:sqlite and the built packages.
// Prints one line of JSON; the test that started it says what must be in it.
import { runCases, storeContract } from '@hopwise/testkit/store'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { sqliteTransactionStore } from '../../dist/index.js'
import { opener } from './open-connection.mjs'
import { requestFor } from './request.mjs'

const response = { status: 201, fields: [], body: Uint8Array.of(1), requestId: undefined }
const hour = 3_600_000
const messageOf = (step) => Promise.resolve().then(step).then(() => 'no error', ({ message }) => message)

async function contract() {
  let time = 1_700_000_000_000
  const { cases } = storeContract({
    name: 'x',
    clock: { advance: (by) => void (time += by) },
    async create() {
      const folder = mkdtempSync(join(tmpdir(), 'hopwise-sqlite-'))
      const store = sqliteTransactionStore({ open: await opener('node:sqlite', join(folder, 'x.db')), now: () => time })
      const close = async () => {
        store.close()
        rmSync(folder, { recursive: true })
      }
      return { store, close }
    },
  })
  // Those that need no lease and hold no two keys at once.
  const { passed, failed } = await runCases(cases.filter(({ name }) => /: (replays|a done key (with|is kept|cannot)|of 10 completes|a key that nobody|a phase of a)/.test(name)))
  return { failed, passed: passed.length }
}

async function transactions(folder) {
  const open = await opener('node:sqlite', join(folder, 'orders.db'))
  const outside = open()
  outside.exec('PRAGMA journal_mode = WAL; CREATE TABLE effects (key TEXT)')
  const effects = () => outside.prepare('SELECT key FROM effects ORDER BY key').all().map(({ key }) => key)
  const store = sqliteTransactionStore({ open, waitsAtMost: 200 })
  const begin = async (index) => {
    const request = requestFor(index)
    const { fence, transaction } = await store.claim(request)
    const database = store.databaseOf(transaction)
    const insert = database.prepare('INSERT INTO effects VALUES (?)')
    insert.run(String(index))
    return { claim: { key: request.key, owner: request.owner, fence }, database, insert }
  }

  const first = await begin(1)
  const driver = first.database.constructor.name
  const next = requestFor(2)
  const waiting = [requestFor(1), requestFor(1), { ...requestFor(1), fingerprint: 'other' }, next].map((request) => store.claim(request))
  await store.complete(first.claim, response, hour)
  const duplicates = (await Promise.all(waiting)).map(({ kind }) => kind)
  const waited = await store.claim(requestFor(3))
  await store.release({ ...next, fence: 1 })
  await store.release((await begin(2)).claim)
  const kept = effects()
  const late = [await messageOf(() => first.insert.run('9')), await messageOf(() => first.database.exec('SELECT 1'))]

  const committed = await begin(4)
  committed.database.exec('COMMIT')
  const ended = await messageOf(() => store.complete(committed.claim, response, hour))

  const cursor = await begin(5)
  cursor.database.prepare('SELECT key FROM effects').iterate().next()
  const unfinishedCursor = await store.complete(cursor.claim, response, hour)

  const last = await begin(6)
  store.close()
  const closed = [await messageOf(() => store.complete(last.claim, response, hour))]
  const other = open()
  other.close()
  closed.push(await messageOf(() => other.exec('SELECT 1')))
  outside.exec('BEGIN IMMEDIATE; COMMIT')
  const memory = await messageOf(async () => sqliteTransactionStore({ open: await opener('node:sqlite', ':memory:') }))
  const found = effects()
  outside.close()
  return { driver, duplicates, waited, kept, late, ended, unfinishedCursor, closed, effects: found, memory }
}

const folder = mkdtempSync(join(tmpdir(), 'hopwise-sqlite-'))
let report
try {
  report = { contract: await contract(), ...(await transactions(folder)) }
} finally {
  rmSync(folder, { recursive: true })
}
// Last of all: who reads it may end this process.
console.log(JSON.stringify(report))
