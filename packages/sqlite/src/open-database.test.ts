import { errorText, HopwiseError, type Duration } from '@hopwise/core'
import Database from 'libsql'
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { temporaryFolder } from './testing/temporary-folder.js'
import { sqliteStore, type SqliteDatabase } from './index.js'

function open(path: string) {
  const database = new Database(path)
  onTestFinished(() => void database.close())
  return database
}

function errorOf(step: () => unknown): HopwiseError {
  try {
    step()
  } catch (error) {
    if (error instanceof HopwiseError) return error
    throw error
  }
  throw new Error('expected a HopwiseError')
}

describe('a database that can be used', () => {
  test.each([
    ['full', 2],
    ['normal', 1],
  ] as const)('is in WAL mode, synchronous %s, and has the busy timeout', (synchronous, level) => {
    const database = open(join(temporaryFolder(), 'keys.db'))
    sqliteStore({ database, synchronous, busyTimeout: '1.5s' })
    expect(database.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
    expect(database.prepare('PRAGMA synchronous').get()).toMatchObject({ synchronous: level })
    expect(database.prepare('PRAGMA busy_timeout').get()).toMatchObject({ timeout: 1_500 })
  })

  test('is synchronous "full" and waits 250 ms, unless told', () => {
    const database = open(join(temporaryFolder(), 'keys.db'))
    sqliteStore({ database })
    expect(database.prepare('PRAGMA synchronous').get()).toMatchObject({ synchronous: 2 })
    expect(database.prepare('PRAGMA busy_timeout').get()).toMatchObject({ timeout: 250 })
  })

  test('finds what is over by an index', () => {
    const database = open(':memory:')
    sqliteStore({ database })
    const plan = database.prepare('EXPLAIN QUERY PLAN SELECT rowid FROM hopwise_idempotency WHERE expires_at <= 1 ORDER BY expires_at LIMIT 2').all()
    expect(JSON.stringify(plan)).toContain('hopwise_idempotency_expires_at')
  })

  test('is waited for while another connection, not yet in WAL mode, writes: SQLite itself does not wait there', () => {
    const path = join(temporaryFolder(), 'keys.db')
    const [other, own] = [open(path), open(path)]
    other.exec('CREATE TABLE orders (id INTEGER); BEGIN IMMEDIATE')
    const refusals: string[] = []
    const database: SqliteDatabase = {
      prepare: (sql) => own.prepare(sql),
      exec(sql) {
        try {
          own.exec(sql)
        } catch (error) {
          refusals.push(`${sql}: ${errorText(error)}`)
          other.exec('COMMIT')
          throw error
        }
      },
    }
    sqliteStore({ database })
    expect(refusals).toEqual(['PRAGMA journal_mode = WAL: database is locked'])
    expect(own.prepare('PRAGMA journal_mode').get()).toMatchObject({ journal_mode: 'wal' })
  })

  test('that has a table of the earlier layout, without phases, is brought up to date, and keeps its records', async () => {
    const path = join(temporaryFolder(), 'keys.db')
    const [one, two] = [open(path), open(path)]
    sqliteStore({ database: one })
    one.exec('ALTER TABLE hopwise_idempotency DROP COLUMN phases')
    const time = 1_700_000_000_000
    const key = '0'.repeat(64)
    one.exec(`
      INSERT INTO hopwise_idempotency (key, state, fence, owner, fingerprint, lease_until, expires_at)
      VALUES ('${key}', 'pending', 3, 'owner', 'f', ${time}, ${time + 60_000})`)

    const stores = [one, two].map((database) => sqliteStore({ database, now: () => time }))
    expect(await stores[0]?.savePhase({ key, owner: 'owner', fence: 3 }, 'charge', '1')).toBe(true)
    const lease = 1_000 as Duration
    const taken = await stores[1]?.claim({ key, owner: 'next', fingerprint: 'f', lease, retention: lease, expired: 'take' })
    expect(taken).toEqual({ kind: 'claimed', fence: 4, phases: { charge: '1' } })
  })

  test('stays open where it was handed in', () => {
    const database = open(':memory:')
    const store = sqliteStore({ database })
    store.close()
    expect(database.prepare('SELECT 1 AS one').get()).toMatchObject({ one: 1 })
  })
})

describe('a database that cannot be used', () => {
  test('that may only be read: the message names the file and what is needed', () => {
    const path = join(temporaryFolder(), 'keys.db')
    const database = open(path)
    database.exec('PRAGMA journal_mode = WAL; PRAGMA query_only = 1')
    const { code, message } = errorOf(() => sqliteStore({ database }))
    expect(code).toBe('store-unusable')
    expect(message).toBe(
      `sqliteStore: the database ${path} cannot be used, this process must be able to write the file and its directory: attempt to write a readonly database`,
    )
  })

  test('that is no database', () => {
    const path = join(temporaryFolder(), 'keys.db')
    writeFileSync(path, 'not a database '.repeat(100))
    const { code, message, cause } = errorOf(() => sqliteStore({ database: open(path) }))
    expect([code, message]).toEqual(['store-unusable', expect.stringMatching(/cannot be used: file is not a database$/)])
    expect(cause).toBeInstanceOf(Error)
  })

  test('that has a table of that name for something else', () => {
    const database = open(':memory:')
    database.exec('CREATE TABLE orders (id INTEGER)')
    const { code, message } = errorOf(() => sqliteStore({ database, table: 'orders' }))
    expect(code).toBe('store-unusable')
    expect(message).toContain('cannot be used, its table "orders" is not one of this store: ')
  })

  test('that is in the middle of a transaction', () => {
    const database = open(':memory:')
    database.exec('BEGIN')
    expect(errorOf(() => sqliteStore({ database })).code).toBe('store-unusable')
    // What the user did there is still his to decide.
    database.exec('COMMIT')
  })

  test('a path on a runtime without node:sqlite: the message says what to hand in', () => {
    const spy = vi.spyOn(process, 'getBuiltinModule').mockReturnValue(undefined)
    onTestFinished(() => spy.mockRestore())
    const { code, message } = errorOf(() => sqliteStore({ database: ':memory:' }))
    expect(code).toBe('runtime-unsupported')
    expect(message).toContain('npm i libsql')
    expect(message).toContain('new Database(path)')
  })
})
