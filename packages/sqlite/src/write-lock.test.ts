import type { Claim, ClaimRequest, ClaimResult, Duration, StoredResponse } from '@hopwise/core'
import Database from 'libsql'
import { join } from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { sqliteTransactionStore, type SqliteTransactionStore } from './index.js'
import { temporaryFolder } from './testing/temporary-folder.js'

const response: StoredResponse = { status: 201, fields: [], body: null, requestId: undefined }
const retention = 60_000 as Duration

function request(key: number, fingerprint = 'f'): ClaimRequest {
  return { key: String(key).padStart(64, '0'), owner: crypto.randomUUID(), fingerprint, lease: 30_000 as Duration, retention, expired: 'take' }
}

function setUp(options: { readonly connections?: number; readonly waitsAtMost?: number } = {}) {
  const path = join(temporaryFolder(), 'orders.db')
  const opened: InstanceType<typeof Database>[] = []
  const open = () => {
    const database = new Database(path)
    opened.push(database)
    return database
  }
  const make = () => {
    const store = sqliteTransactionStore({ open, ...options })
    onTestFinished(() => store.close())
    return store
  }
  const outside = new Database(path)
  onTestFinished(() => void outside.close())
  return { path, opened, outside, make, store: make() }
}

async function hold(store: SqliteTransactionStore<InstanceType<typeof Database>>, asked: ClaimRequest) {
  const result = await store.claim(asked)
  expect(result.kind).toBe('claimed')
  const claim: Claim = { key: asked.key, owner: asked.owner, fence: 1 }
  return { claim, transaction: result.kind === 'claimed' ? result.transaction : undefined }
}

/** Lets everything that is not a wait for the lock come to its end. */
const turnOfTheLoop = () => new Promise((resolve) => setImmediate(resolve))

describe('claims wait for the write lock', () => {
  test('duplicates wait, and then replay', async () => {
    const { store } = setUp()
    const { claim } = await hold(store, request(1))
    const duplicates = Array.from({ length: 20 }, () => store.claim(request(1)))
    const other = store.claim(request(1, 'other'))
    await turnOfTheLoop()
    await store.complete(claim, response, retention)
    expect(await Promise.all(duplicates)).toEqual(duplicates.map(() => ({ kind: 'done', response })))
    expect(await other).toEqual({ kind: 'mismatch' })
  })

  test('after a release, one of the duplicates runs, and the others replay its result', async () => {
    const { store } = setUp()
    const { claim } = await hold(store, request(1))
    const asked = Array.from({ length: 5 }, () => request(1))
    const duplicates = asked.map((each) => store.claim(each))
    await store.release(claim)
    expect(await duplicates[0]).toMatchObject({ kind: 'claimed', fence: 1 })
    await store.complete({ key: claim.key, owner: asked[0]?.owner ?? '', fence: 1 }, response, retention)
    expect(await Promise.all(duplicates.slice(1))).toEqual(duplicates.slice(1).map(() => ({ kind: 'done', response })))
  })

  test.each([1, 2, 4])('different keys run one after another, first come, first served, on %i connections', async (connections) => {
    const { store, opened } = setUp({ connections })
    const order: number[] = []
    let running = 0
    await Promise.all(
      Array.from({ length: 30 }, async (_, key) => {
        const { claim } = await hold(store, request(key))
        expect(++running).toBe(1)
        order.push(key)
        await turnOfTheLoop()
        running--
        expect(await (key % 3 === 0 ? store.release(claim) : store.complete(claim, response, retention))).toBe(true)
      }),
    )
    expect(order).toEqual(Array.from({ length: 30 }, (_, key) => key))
    // The reader, one that runs, and one that waits.
    expect(opened.length).toBeLessThanOrEqual(1 + Math.min(connections, 2))
  })

  test('replays, mismatches and other keys of a done request need no lock', async () => {
    const { store, outside } = setUp({ waitsAtMost: 0 })
    const { claim } = await hold(store, request(1))
    await store.complete(claim, response, retention)
    await hold(store, request(2))
    expect(await store.claim(request(1))).toEqual({ kind: 'done', response })
    expect(await store.claim(request(1, 'other'))).toEqual({ kind: 'mismatch' })
    expect(() => outside.exec('BEGIN IMMEDIATE')).toThrow('locked')
  })

  test('the event loop goes on while another process writes, and its COMMIT is noticed', async () => {
    const { store, outside } = setUp()
    outside.exec('BEGIN IMMEDIATE')
    let result: ClaimResult | undefined
    const claiming = store.claim(request(1)).then((came) => (result = came))
    for (let turn = 0; turn < 20; turn++) await turnOfTheLoop()
    expect(result).toBe(undefined)
    outside.exec('COMMIT')
    expect((await claiming).kind).toBe('claimed')
  })

  test('two stores on one file, as two processes have them, take turns', async () => {
    const { store, make } = setUp()
    const stores = [store, make()]
    let running = 0
    const done = await Promise.all(
      Array.from({ length: 40 }, async (_, at) => {
        const through = stores[at % 2] ?? store
        const asked = request(at)
        const result = await through.claim(asked)
        expect([result.kind, ++running]).toEqual(['claimed', 1])
        await turnOfTheLoop()
        running--
        return through.complete({ ...asked, fence: 1 }, response, retention)
      }),
    )
    expect(done).toEqual(done.map(() => true))
  })
})

describe('after waitsAtMost', () => {
  test('a claim is pending, whoever has the lock', async () => {
    const { store, outside } = setUp({ waitsAtMost: 20 })
    outside.exec('BEGIN IMMEDIATE')
    expect(await store.claim(request(1))).toEqual({ kind: 'pending', leaseLeft: 1_000 })
    outside.exec('COMMIT')
    const { claim } = await hold(store, request(1))
    // The first waits at the head of the queue, the others behind it.
    expect(await Promise.all([1, 2, 3].map((key) => store.claim(request(key))))).toEqual([1, 2, 3].map(() => ({ kind: 'pending', leaseLeft: 1_000 })))
    expect(await store.sweep(10)).toBe(0)
    expect(await store.complete(claim, response, retention)).toBe(true)
    await hold(store, request(2))
  })

  test('which may be 0', async () => {
    const { store } = setUp({ waitsAtMost: 0 })
    const { claim } = await hold(store, request(1))
    expect(await store.claim(request(2))).toEqual({ kind: 'pending', leaseLeft: 1_000 })
    await store.release(claim)
    await hold(store, request(2))
  })

  test('no connection is lost: with one only, a handler that committed by itself keeps it until its response', async () => {
    const { store } = setUp({ waitsAtMost: 20, connections: 1 })
    for (let round = 0; round < 3; round++) {
      const { claim, transaction } = await hold(store, request(round))
      store.databaseOf(transaction).exec('COMMIT')
      // The lock is free, and no connection is.
      expect((await store.claim(request(100))).kind).toBe('pending')
      await expect(store.complete(claim, response, retention)).rejects.toMatchObject({ code: 'store-unusable' })
      const next = await hold(store, request(100))
      await store.release(next.claim)
    }
  })

  test('with a second connection, the next request does not wait for such a handler', async () => {
    const { store } = setUp({ waitsAtMost: 20, connections: 2 })
    const first = await hold(store, request(1))
    store.databaseOf(first.transaction).exec('COMMIT')
    const second = await hold(store, request(2))
    await expect(store.complete(first.claim, response, retention)).rejects.toMatchObject({ code: 'store-unusable' })
    expect(await store.complete(second.claim, response, retention)).toBe(true)
  })
})

test('a claim that fails half way gives its connection and the lock back', async () => {
  const { store, outside } = setUp({ connections: 1, waitsAtMost: 0 })
  outside.exec("CREATE TRIGGER broken BEFORE INSERT ON hopwise_idempotency BEGIN SELECT raise(ABORT, 'no inserts'); END")
  for (let round = 0; round < 3; round++) await expect(store.claim(request(1))).rejects.toThrow('no inserts')
  outside.exec('DROP TRIGGER broken')
  await hold(store, request(1))
})

test('a sweep waits for its turn, and removes at most its limit', async () => {
  const { store, outside } = setUp()
  for (let key = 0; key < 5; key++) await store.complete((await hold(store, request(key))).claim, response, retention)
  outside.exec('UPDATE hopwise_idempotency SET expires_at = 1')
  expect(await store.sweep(2)).toBe(2)
  // A claim removes two by itself, and a release brings them back.
  const { claim } = await hold(store, request(9))
  const sweeping = store.sweep(100)
  await store.release(claim)
  expect(await sweeping).toBe(3)
  expect(await store.sweep(100)).toBe(0)
})

describe('close', () => {
  test('rolls back what runs, rejects what waits, and closes every connection', async () => {
    const { store, opened, outside } = setUp()
    outside.exec('CREATE TABLE effects (key TEXT)')
    const { claim, transaction } = await hold(store, request(1))
    const database = store.databaseOf(transaction)
    database.exec("INSERT INTO effects VALUES ('1')")
    const waiting = [store.claim(request(1)), store.claim(request(2)), store.sweep(1)].map((each) => each.catch((error: Error) => error.message))
    await turnOfTheLoop()
    store.close()
    store.close()
    expect(await Promise.all(waiting)).toEqual(waiting.map(() => 'sqliteTransactionStore: the store is closed'))
    expect(opened.map(({ open }) => open)).toEqual(opened.map(() => false))
    for (const late of [() => store.claim(request(1)), () => store.complete(claim, response, retention), () => store.release(claim), () => store.sweep(1)]) {
      await expect(late()).rejects.toThrow('the store is closed')
    }
    expect(() => store.databaseOf(transaction)).toThrow('the transaction is over')
    expect(() => database.exec('SELECT 1')).toThrow('the transaction is over')
    expect(outside.prepare('SELECT count(*) AS n FROM effects').get()).toMatchObject({ n: 0 })
    outside.exec('BEGIN IMMEDIATE')
  })

  test('while a claim has just been given the lock: it rejects', async () => {
    const { store, outside } = setUp()
    const claiming = store.claim(request(1)).catch((error: Error) => error.message)
    store.close()
    expect(await claiming).toBe('sqliteTransactionStore: the store is closed')
    outside.exec('BEGIN IMMEDIATE')
  })
})
