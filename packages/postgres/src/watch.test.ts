import type { Duration } from '@hopwise/core'
import { Client } from 'pg'
import postgres from 'postgres'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { createTable, fromPg, pgListener, postgresJsListener, postgresStore, type Listener } from './index.js'
import { claimOf, request, response } from './testing/requests.js'
import { poolForTest, serverForFile } from './testing/server.js'

const server = serverForFile()
const hour = 3_600_000 as Duration

const listeners: Readonly<Record<string, () => Listener>> = {
  pg: () => pgListener(() => new Client({ connectionString: server().connectionString, application_name: 'listener' })),
  'postgres.js': () => {
    const sql = postgres(server().connectionString, { connection: { application_name: 'listener' }, backoff: () => 0 })
    onTestFinished(() => sql.end({ timeout: 0 }))
    return postgresJsListener(sql)
  },
}

async function setUp(listener: () => Listener) {
  const pool = poolForTest(server().connectionString)
  await createTable(fromPg(pool))
  const [store, other] = [1, 2].map(() => {
    const made = postgresStore({ query: fromPg(pool), listen: listener() })
    onTestFinished(() => made.close())
    return made
  }) as [ReturnType<typeof postgresStore>, ReturnType<typeof postgresStore>]
  const watch = (key: string, wake: () => void) => other.watch?.(key, wake) ?? Promise.reject(new Error('no watch'))
  return { pool, store, other, watch }
}

/** A function to be woken, and a promise of that. */
function waker() {
  let wake: () => void = () => undefined
  const woken = new Promise<void>((resolve) => (wake = resolve))
  return { wake: vi.fn<() => void>(() => wake()), woken }
}

describe.each(Object.entries(listeners))('through %s', (_name, listener) => {
  test('who watches a key is woken by its complete and by its release, and by no other key', async () => {
    const { store, watch } = await setUp(listener)
    const [done, given, other] = [request(), request(), request()]
    for (const each of [done, given, other]) await store.claim(each)
    const [one, two, third] = [waker(), waker(), waker()]
    await watch(done.key, one.wake)
    await watch(given.key, two.wake)
    await watch(other.key, third.wake)
    await store.complete(claimOf(done), response, hour)
    await one.woken
    await store.release(claimOf(given))
    await two.woken
    expect(third.wake).not.toHaveBeenCalled()
  })

  test('who has ended its watch is not woken, others of the key are', async () => {
    const { store, watch } = await setUp(listener)
    const first = request()
    await store.claim(first)
    const [ended, kept] = [waker(), waker()]
    const unwatch = await watch(first.key, ended.wake)
    await watch(first.key, kept.wake)
    unwatch()
    unwatch()
    await store.complete(claimOf(first), response, hour)
    await kept.woken
    expect(ended.wake).not.toHaveBeenCalled()
  })

  test('a refused complete wakes nobody', async () => {
    const { pool, store, watch } = await setUp(listener)
    const first = request()
    await store.claim(first)
    const { wake, woken } = waker()
    await watch(first.key, wake)
    expect(await store.complete(claimOf(first, 2), response, hour)).toBe(false)
    expect(wake).not.toHaveBeenCalled()
    await pool.query(`SELECT pg_notify('hopwise_idempotency', $1)`, [first.key])
    await woken
    expect(wake).toHaveBeenCalledTimes(1)
  })

  test('a listener that loses its connection comes back, and wakes all, who may have missed something', async () => {
    const { pool, store, watch } = await setUp(listener)
    const first = request()
    await store.claim(first)
    const { wake, woken } = waker()
    await watch(first.key, wake)
    await pool.query(`SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query ILIKE 'listen%'`)
    await woken
    const again = waker()
    await watch(first.key, again.wake)
    await store.complete(claimOf(first), response, hour)
    await again.woken
  })

  test('closed, it keeps no connection, and a later watch listens again', async () => {
    const { store, other, watch } = await setUp(listener)
    const first = request()
    await store.claim(first)
    await watch(first.key, () => undefined)
    await other.close()
    await other.close()
    const { wake, woken } = waker()
    await watch(first.key, wake)
    await store.complete(claimOf(first), response, hour)
    await woken
  })
})

test('where nobody can listen, watch rejects, and the next one tries again', async () => {
  let fails = true
  const real = listeners['pg']?.()
  const { store, watch } = await setUp(() => ({
    listen: (channel, notified, missed) =>
      fails || real === undefined ? Promise.reject(new Error('no connection')) : real.listen(channel, notified, missed),
  }))
  const first = request()
  await store.claim(first)
  const { wake, woken } = waker()
  await expect(watch(first.key, wake)).rejects.toThrow('no connection')
  fails = false
  await watch(first.key, wake)
  await store.complete(claimOf(first), response, hour)
  await woken
  expect(wake).toHaveBeenCalledTimes(1)
})

test('without a listener there is no watch', () => {
  expect(postgresStore({ query: async () => ({ rows: [] }) }).watch).toBeUndefined()
})
