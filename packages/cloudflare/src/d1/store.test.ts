import { describe, expect, onTestFinished, test } from 'vitest'
import migration from '../../migrations/0001_hopwise_idempotency.sql?raw'
import { createTableSql, defaultTable } from '../table.js'
import { counted, databaseClock, emptyTable, shifted } from '../testing/d1.js'
import { env } from '../testing/env.js'
import { again, hold, request, response, seconds } from '../testing/requests.js'
import { d1Store } from './store.js'

async function setUp() {
  await emptyTable(env.OTHER_DATABASE)
  const records = async () => (await env.OTHER_DATABASE.prepare(`SELECT count(*) AS n FROM ${defaultTable}`).first<number>('n')) ?? -1
  const columnsOf = (key: string) => env.OTHER_DATABASE.prepare(`SELECT status, fields, request_id, body, phases FROM ${defaultTable} WHERE key = ?`).bind(key).first()
  return { store: d1Store({ database: shifted(env.OTHER_DATABASE) }), records, columnsOf }
}

test('the migration makes the table of the store, with the columns of a Durable Object', async () => {
  expect(migration).toBe(createTableSql(defaultTable))
})

describe('each operation is one round trip', () => {
  test('a first request takes two, a replay, a conflict and a mismatch one', async () => {
    await setUp()
    const { database, trips } = counted(env.OTHER_DATABASE)
    const store = d1Store({ database })
    const first = request()
    const claim = await hold(store, first)
    expect((await store.claim(again(first))).kind).toBe('pending')
    expect((await store.claim(again(first, { fingerprint: 'other' }))).kind).toBe('mismatch')
    expect(await store.renew(claim, seconds(60))).toBe(true)
    expect(await store.savePhase(claim, 'one', '1')).toBe(true)
    expect(await store.complete(claim, response(), seconds(60))).toBe(true)
    expect((await store.claim(again(first))).kind).toBe('done')
    expect(await store.release(claim)).toBe(false)
    expect(await store.sweep(10)).toBe(0)
    // Three statements in one batch for a claim, one statement for all else.
    expect(trips).toEqual([3, 3, 3, 1, 1, 1, 3, 1, 1])
  })
})

describe('a record that is over', () => {
  /*
   * hono • D1 (real SQLite): key reused after its TTL expired: first 201, after_ttl 409, later 409, executions 1
   */
  test.each(['done', 'pending', 'released'] as const)('%s: the next claim has the key, whatever it asks, and its result is replayed', async (state) => {
    const { store, columnsOf } = await setUp()
    const first = request({ retention: seconds(60) })
    const claim = await hold(store, first)
    await store.savePhase(claim, 'one', '1')
    if (state === 'done') await store.complete(claim, response(), seconds(60))
    if (state === 'released') await store.release(claim)
    databaseClock.ahead += seconds(61)
    const next = again(first, { fingerprint: 'other', expired: 'report' })
    expect(await store.claim(next)).toEqual({ kind: 'claimed', fence: 1 })
    expect(await columnsOf(first.key)).toEqual({ status: null, fields: null, request_id: null, body: null, phases: null })
    expect((await store.claim(again(next))).kind).toBe('pending')
    expect(await store.complete({ ...next, fence: 1 }, response(5), seconds(60))).toBe(true)
    expect(await store.claim(again(next))).toEqual({ kind: 'done', response: response(5) })
  })

  test('is removed by claims of other keys, two by each that gets its key, so that the table stays bounded', async () => {
    const { store, records } = await setUp()
    for (let count = 0; count < 6; count++) await hold(store, request({ retention: seconds(60) }))
    databaseClock.ahead += seconds(61)
    const first = request()
    await hold(store, first)
    expect(await records()).toBe(6 - 2 + 1)
    // A claim that finds its key held, and a replay, remove nothing.
    await store.claim(again(first))
    expect(await records()).toBe(5)
    await hold(store)
    await hold(store)
    expect(await records()).toBe(3)
  })
})

test('a claim that is sent again with the same owner finds its own key held, or its own result', async () => {
  const { store } = await setUp()
  const first = request()
  const claim = await hold(store, first)
  expect((await store.claim(first)).kind).toBe('pending')
  await store.complete(claim, response(), seconds(60))
  expect(await store.claim(first)).toEqual({ kind: 'done', response: response() })
})

test('of a response that has no room in a row, status and fields are kept', async () => {
  const { store } = await setUp()
  const first = request()
  expect(await store.complete(await hold(store, first), response(2_000_000), seconds(60))).toBe(true)
  expect(await store.claim(again(first))).toEqual({ kind: 'done', response: { ...response(), body: null } })
})

test('the table may have another name, and its keys are others', async () => {
  await setUp()
  await emptyTable(env.OTHER_DATABASE, 'Other_keys2')
  const [one, two] = [d1Store({ database: env.OTHER_DATABASE }), d1Store({ database: env.OTHER_DATABASE, table: 'Other_keys2' })]
  const first = request()
  expect(await one.claim(first)).toEqual({ kind: 'claimed', fence: 1 })
  expect(await two.claim(again(first))).toEqual({ kind: 'claimed', fence: 1 })
})

test('where the table is not there, each operation says how to make it', async () => {
  const store = d1Store({ database: env.OTHER_DATABASE, table: 'not_there' })
  const claim = { key: 'k', owner: 'o', fence: 1 }
  const operations = [
    () => store.claim(request()),
    () => store.complete(claim, response(), seconds(1)),
    () => store.renew(claim, seconds(1)),
    () => store.release(claim),
    () => store.savePhase(claim, 'one', '1'),
    () => store.sweep(1),
  ]
  for (const operation of operations) {
    await expect(operation()).rejects.toMatchObject({
      code: 'store-unusable',
      message: 'd1Store: the database has no table "not_there"; apply migrations/0001_hopwise_idempotency.sql of @hopwise/cloudflare',
    })
  }
})

test('a claim that fails in its last statement changes nothing', async () => {
  const { store, records } = await setUp()
  onTestFinished(() => emptyTable(env.OTHER_DATABASE))
  await hold(store, request({ retention: seconds(60) }))
  databaseClock.ahead += seconds(61)
  await env.OTHER_DATABASE.prepare(`CREATE TRIGGER broken BEFORE DELETE ON ${defaultTable} BEGIN SELECT raise(ABORT, 'no deletes'); END`).run()
  const first = request()
  await expect(store.claim(first)).rejects.toThrow('no deletes')
  expect(await records()).toBe(1)
  await env.OTHER_DATABASE.prepare('DROP TRIGGER broken').run()
  expect(await store.claim(again(first))).toEqual({ kind: 'claimed', fence: 1 })
})
