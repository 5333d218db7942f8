import { describe, expect, test, vi } from 'vitest'
import type { IdempotencyStore } from './store.js'
import { bench, created } from './testing/engine-bench.js'

/** A store that wakes its watchers whenever a key is done or released. */
function watched(store: IdempotencyStore) {
  const watchers = new Set<() => void>()
  const waking = <A extends unknown[]>(operation: (...args: A) => Promise<boolean>) => async (...args: A) => {
    const held = await operation(...args)
    for (const wake of watchers) wake()
    return held
  }
  const watch = async (_key: string, wake: () => void) => {
    watchers.add(wake)
    return () => void watchers.delete(wake)
  }
  return Object.assign({ ...store, complete: waking(store.complete), release: waking(store.release), watch }, { watchers })
}

/** Counts the claims of a store, and resolves once a second request has met the first one's. */
function counted(wrap: (store: IdempotencyStore) => IdempotencyStore = (store) => store) {
  let claims = 0
  return {
    wrap: (inner: IdempotencyStore): IdempotencyStore => wrap({ ...inner, claim: (request) => (claims++, inner.claim(request)) }),
    conflict: () => vi.waitUntil(() => claims >= 3, { interval: 1 }),
  }
}

describe('onConflict: wait', () => {
  test('gets the first result, woken by the store, and stops watching', async () => {
    const { wrap, conflict } = counted(watched)
    const { run, reply, store, names } = bench({ onConflict: 'wait', waitAtMost: '1m' }, wrap)
    const first = await run()
    const waiting = reply()
    await conflict()
    await first.settle(created)
    expect((await waiting).status).toBe(201)
    expect((store as ReturnType<typeof watched>).watchers.size).toBe(0)
    expect(names()).toEqual(['claimed', 'completed', 'waited', 'replayed'])
  })

  test('runs itself where the first one gave the key back', async () => {
    const { wrap, conflict } = counted(watched)
    const { run } = bench({ onConflict: 'wait', waitAtMost: '1m' }, wrap)
    const first = await run()
    const waiting = run()
    await conflict()
    first.release()
    await first.settle({ ...created, status: 503 })
    expect((await waiting).fence).toBe(2)
  })

  test('polls where the store has no notifications', async () => {
    const { wrap, conflict } = counted()
    const { run, reply } = bench({ onConflict: 'wait', waitAtMost: '1m' }, wrap)
    const first = await run()
    const waiting = reply()
    await conflict()
    await first.settle(created)
    expect((await waiting).status).toBe(201)
  })

  test('polls where watching fails, and says so', async () => {
    const { wrap, conflict } = counted((store) => ({ ...store, watch: () => Promise.reject(new Error('no pub/sub')) }))
    const { run, reply, told } = bench({ onConflict: 'wait', waitAtMost: '1m' }, wrap)
    const first = await run()
    const waiting = reply()
    await conflict()
    await first.settle(created)
    expect((await waiting).status).toBe(201)
    expect(told).toContainEqual({ name: 'store-error', event: expect.objectContaining({ operation: 'watch' }) as unknown })
  })

  test('polls where watching hangs, from the store\'s deadline on, and a watch that comes later is ended', async () => {
    let begin = (_stop: () => void): void => {}
    const { wrap, conflict } = counted((store) => ({
      ...store,
      watch: () => new Promise<() => void>((resolve) => {
        begin = resolve
      }),
    }))
    const { run, reply, told } = bench({ onConflict: 'wait', waitAtMost: '1m', storeDeadline: 10 }, wrap)
    const first = await run()
    const waiting = reply()
    await conflict()
    await first.settle(created)
    expect((await waiting).status).toBe(201)
    expect(told).toContainEqual({ name: 'store-error', event: { operation: 'watch', key: first.key, error: expect.objectContaining({ name: 'StoreTimeout' }) as unknown } })
    const stop = vi.fn()
    begin(stop)
    await vi.waitFor(() => expect(stop).toHaveBeenCalledTimes(1))
  })

  test('is bounded: then 409', async () => {
    const { run, reply, told } = bench({ onConflict: 'wait', waitAtMost: 30 })
    await run()
    expect((await reply()).status).toBe(409)
    expect(told.find(({ name }) => name === 'waited')?.event).toMatchObject({ result: 'pending' })
  })

  test('a store that goes away meanwhile is answered with 503', async () => {
    let away = false
    const { wrap, conflict } = counted((store) => ({
      ...store,
      claim: (request) => (away ? Promise.reject(new Error('away')) : store.claim(request)),
    }))
    const { run, reply } = bench({ onConflict: 'wait', waitAtMost: '1m' }, wrap)
    await run()
    const waiting = reply()
    await conflict()
    away = true
    expect((await waiting).status).toBe(503)
  })
})
