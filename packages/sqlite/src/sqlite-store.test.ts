import type { ClaimRequest, Duration, StoredResponse } from '@hopwise/core'
import { storeContract } from '@hopwise/testkit/store'
import Database from 'libsql'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { temporaryFolder } from './testing/temporary-folder.js'
import { sqliteStore } from './index.js'

let time = 1_700_000_000_000
const now = () => time
const clock = { advance: (by: Duration) => void (time += by) }

const file = storeContract({
  name: 'two connections to a file',
  clock,
  supports: { sharedData: true },
  async create() {
    const folder = mkdtempSync(join(tmpdir(), 'hopwise-sqlite-'))
    const [one, two] = [new Database(join(folder, 'keys.db')), new Database(join(folder, 'keys.db'))]
    const close = async () => {
      one.close()
      two.close()
      rmSync(folder, { recursive: true })
    }
    return { store: sqliteStore({ database: one, now }), second: sqliteStore({ database: two, now }), close }
  },
})

const memory = storeContract({
  name: 'in memory',
  clock,
  async create() {
    const database = new Database(':memory:')
    return { store: sqliteStore({ database, now }), close: async () => void database.close() }
  },
})

describe('the store contract', () => {
  test.each([...file.cases, ...memory.cases])('$name', ({ run }) => run())
})

const seconds = (count: number) => (count * 1_000) as Duration
const response: StoredResponse = { status: 201, fields: [['a', 'b']], body: Uint8Array.of(1, 2, 3), requestId: 'r' }

function request(index: number): ClaimRequest {
  const key = String(index).padStart(64, '0')
  return { key, owner: crypto.randomUUID(), fingerprint: 'f', lease: seconds(30), retention: seconds(60), expired: 'take' }
}

function open(path = ':memory:') {
  const database = new Database(path)
  onTestFinished(() => void database.close())
  return database
}

function rows(database: InstanceType<typeof Database>, table = 'hopwise_idempotency'): number {
  return (database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }).n
}

describe('beyond the contract', () => {
  test('each new claim removes two records that are over, so that the file stays bounded with no sweep', async () => {
    const database = open()
    const store = sqliteStore({ database, now })
    for (let index = 0; index < 10; index++) await store.claim(request(index))
    time += seconds(61)
    for (let index = 10; index < 14; index++) await store.claim(request(index))
    expect(rows(database)).toBe(10 - 8 + 4)
  })

  test('a replayed body is plain bytes and the caller\'s own', async () => {
    const store = sqliteStore({ database: open(), now })
    const first = request(0)
    await store.claim(first)
    await store.complete({ ...first, fence: 1 }, response, seconds(60))
    for (let replay = 0; replay < 2; replay++) {
      const result = await store.claim(request(0))
      const body = result.kind === 'done' ? result.response.body : undefined
      expect(body?.constructor).toBe(Uint8Array)
      expect(body).toEqual(Uint8Array.of(1, 2, 3))
      body?.fill(0)
    }
  })

  test('stores in two tables of one database do not meet', async () => {
    const database = open()
    const [one, two] = [sqliteStore({ database, now }), sqliteStore({ database, now, table: 'Other_keys2' })]
    expect(await one.claim(request(0))).toEqual({ kind: 'claimed', fence: 1 })
    expect(await two.claim(request(0))).toEqual({ kind: 'claimed', fence: 1 })
    expect([rows(database), rows(database, 'Other_keys2')]).toEqual([1, 1])
  })

  test('a clock with fractions of milliseconds will do', async () => {
    const store = sqliteStore({ database: open(), now: () => time + 0.75 })
    const first = request(0)
    expect(await store.claim(first)).toEqual({ kind: 'claimed', fence: 1 })
    expect(await store.renew({ ...first, fence: 1 }, seconds(5))).toBe(true)
    expect(await store.claim(request(0))).toEqual({ kind: 'pending', leaseLeft: 5_000 })
  })

  test('while another connection writes, replays and refusals do not wait; a claim rejects after busyTimeout, and works afterwards', async () => {
    const path = join(temporaryFolder(), 'keys.db')
    const store = sqliteStore({ database: open(path), now, busyTimeout: 1 })
    const [done, held] = [request(0), request(1)]
    for (const first of [done, held]) await store.claim(first)
    await store.complete({ ...done, fence: 1 }, response, seconds(60))

    const writer = open(path)
    writer.exec('BEGIN IMMEDIATE')
    expect(await store.claim(request(0))).toEqual({ kind: 'done', response })
    expect((await store.claim(request(1))).kind).toBe('pending')
    expect(await store.claim({ ...request(1), fingerprint: 'other' })).toEqual({ kind: 'mismatch' })
    await expect(store.claim(request(2))).rejects.toThrow('database is locked')
    await expect(store.renew({ ...held, fence: 1 }, seconds(5))).rejects.toThrow('database is locked')
    writer.exec('COMMIT')
    expect(await store.claim(request(2))).toEqual({ kind: 'claimed', fence: 1 })
    expect(await store.renew({ ...held, fence: 1 }, seconds(5))).toBe(true)
  })

  test('inside a transaction of the user every operation is refused, and changes nothing', async () => {
    const database = open()
    const store = sqliteStore({ database, now })
    const first = request(0)
    const claim = { ...first, fence: 1 }
    await store.claim(first)
    database.exec('BEGIN')
    for (const operation of [
      () => store.claim(request(0)),
      () => store.claim(request(1)),
      () => store.complete(claim, response, seconds(60)),
      () => store.renew(claim, seconds(5)),
      () => store.release(claim),
      () => store.sweep(10),
    ]) {
      await expect(operation()).rejects.toMatchObject({ code: 'store-unusable', message: expect.stringContaining('a connection of its own') })
    }
    database.exec('COMMIT')
    expect(rows(database)).toBe(1)
    expect((await store.claim(request(0))).kind).toBe('pending')
  })

  test('a claim that fails half way is taken back, and leaves no transaction open', async () => {
    const database = open()
    const store = sqliteStore({ database, now })
    await store.claim(request(0))
    time += seconds(61)
    // The claim itself succeeds; what is removed with it does not.
    database.exec("CREATE TRIGGER broken BEFORE DELETE ON hopwise_idempotency BEGIN SELECT raise(ABORT, 'no deletes'); END")
    await expect(store.claim(request(1))).rejects.toThrow('no deletes')
    expect(database.inTransaction).toBe(false)
    expect(rows(database)).toBe(1)
    database.exec('DROP TRIGGER broken')
    expect(await store.claim(request(1))).toEqual({ kind: 'claimed', fence: 1 })
  })
})
