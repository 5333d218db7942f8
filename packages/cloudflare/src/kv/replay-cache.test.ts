import type { ClaimRequest, Duration, IdempotencyStore } from '@hopwise/core'
import { storeContract } from '@hopwise/testkit/store'
import { describe, expect, test, vi } from 'vitest'
import { durableObjectStore } from '../durable-object/store.js'
import { apart, type ApartNamespace } from '../testing/apart.js'
import { env } from '../testing/env.js'
import { again, hold, request, response, seconds } from '../testing/requests.js'
import { objectClock } from '../testing/worker.js'
import { writeEntry, type Entry } from './entry.js'
import type { KvNamespaceLike } from './namespace.js'
import { kvReplayCache } from './replay-cache.js'

const { cases, skipped } = storeContract({
  name: 'KV in front of a Durable Object',
  clock: { advance: (time: Duration) => void (objectClock.ahead += time) },
  supports: { sharedData: true, watch: true },
  async create() {
    const namespace = apart(env.CLOCKED)
    const [store, second] = [0, 1].map(() => kvReplayCache({ namespace: env.CACHE, store: durableObjectStore({ namespace, shards: 1 }) }))
    return { store: store as IdempotencyStore, second: second as IdempotencyStore, close: async () => {} }
  },
})

describe('the store contract', () => {
  test.each(cases)('$name', ({ run }) => run())

  test('all of it applies', () => {
    expect([cases.length, skipped]).toEqual([88, []])
  })
})

const nameOf = (key: string) => `hopwise:${key}`

function setUp(over: Partial<KvNamespaceLike> = {}, objects: ApartNamespace = apart(env.KEYS)) {
  const kv: string[] = []
  const cache = {
    get: (key: string, type: 'arrayBuffer') => (kv.push('get'), env.CACHE.get(key, type)),
    put: (key: string, value: Uint8Array<ArrayBuffer>, options: { readonly expirationTtl: number }) => (kv.push('put'), env.CACHE.put(key, value, options)),
    getWithMetadata: (key: string, type: 'arrayBuffer') => env.CACHE.getWithMetadata(key, type),
    ...over,
  }
  return { store: kvReplayCache({ namespace: cache, store: durableObjectStore({ namespace: objects }) }), calls: objects.calls, kv }
}

/** Runs a request to its end, and waits until its result is cached. */
async function cachedRun(store: IdempotencyStore, retention = seconds(3_600)): Promise<ClaimRequest> {
  const first = request()
  expect(await store.complete(await hold(store, first), response(), retention)).toBe(true)
  await vi.waitFor(async () => expect(await env.CACHE.get(nameOf(first.key))).not.toBe(null))
  return first
}

const put = (key: string, entry: Entry) => env.CACHE.put(nameOf(key), writeEntry(entry))
const entryOf = (over: Partial<Entry> = {}): Entry => ({ fingerprint: 'f'.repeat(64), expiresAt: Date.now() + 60_000, response: response(9), ...over })

describe('a result in KV', () => {
  test('is replayed without a call of the claim store, and carries the mismatch check', async () => {
    const { store, calls, kv } = setUp()
    const first = await cachedRun(store)
    expect(calls).toEqual(['claim', 'complete'])
    expect(await store.claim(again(first))).toEqual({ kind: 'done', response: response() })
    expect(await store.claim(again(first, { fingerprint: 'other' }))).toEqual({ kind: 'mismatch' })
    expect(calls).toEqual(['claim', 'complete'])
    expect(kv).toEqual(['get', 'put', 'get', 'get'])
  })

  test.each([
    ['an empty body', { ...response(0) }],
    ['no body kept', { ...response(), body: null }],
    ['no fields and no request id', { status: 204, fields: [], body: null, requestId: undefined }],
    ['lines in its body', { ...response(), body: new TextEncoder().encode('a\nb\n{}\n') }],
  ])('with %s comes back as it was', async (_what, kept) => {
    const first = request()
    await put(first.key, entryOf({ response: kept }))
    expect(await setUp().store.claim(first)).toEqual({ kind: 'done', response: kept })
  })

  test('is cached until the claim store forgets it, and not longer', async () => {
    const { store } = setUp()
    const before = Date.now()
    const first = await cachedRun(store, seconds(120))
    const { keys } = await env.CACHE.list({ prefix: nameOf(first.key) })
    expect(keys[0]?.expiration).toBeGreaterThanOrEqual(Math.floor(before / 1_000) + 119)
    expect(keys[0]?.expiration).toBeLessThanOrEqual(Math.ceil(Date.now() / 1_000) + 120)
  })
})

describe('the claim store decides', () => {
  test.each<[string, (key: string) => Promise<void>]>([
    ['there is no entry', async () => {}],
    ['the entry is over, though KV still has it', (key) => put(key, entryOf({ expiresAt: Date.now() - 1 }))],
    ['the entry is not one', (key) => env.CACHE.put(nameOf(key), 'not an entry')],
    ['the entry is empty', (key) => env.CACHE.put(nameOf(key), '')],
    ['the entry is of another version', (key) => env.CACHE.put(nameOf(key), '{"v":2,"f":"f"}\n')],
  ])('where %s', async (_what, prepare) => {
    const { store, calls } = setUp()
    const first = request()
    await prepare(first.key)
    expect(await store.claim(first)).toEqual({ kind: 'claimed', fence: 1 })
    expect(calls).toEqual(['claim'])
  })

  test('where KV fails, at reading and at writing', async () => {
    const failing = async () => {
      throw new Error('KV is down')
    }
    const { store, calls } = setUp({ get: failing, put: failing })
    const first = request()
    expect(await store.complete(await hold(store, first), response(), seconds(3_600))).toBe(true)
    expect(await store.claim(again(first))).toEqual({ kind: 'done', response: response() })
    expect(calls).toEqual(['claim', 'complete', 'claim'])
  })

  test('where KV does not answer in time', async () => {
    const { store } = setUp({ get: () => new Promise(() => {}) })
    expect(await store.claim(request())).toEqual({ kind: 'claimed', fence: 1 })
  })
})

describe('KV is not written', () => {
  test('by a claim, a phase, a renewal or a release', async () => {
    const { store, kv } = setUp()
    const claim = await hold(store)
    await store.savePhase(claim, 'one', '1')
    await store.renew(claim, seconds(60))
    await store.release(claim)
    expect(kv).toEqual(['get'])
  })

  test('by a completion that the claim store refused', async () => {
    const { store, kv } = setUp()
    const claim = await hold(store)
    expect(await store.complete({ ...claim, fence: 2 }, response(), seconds(3_600))).toBe(false)
    expect(kv).toEqual(['get'])
  })

  test('for a result that is kept for less than a minute, which KV cannot', async () => {
    const { store, kv } = setUp()
    expect(await store.complete(await hold(store), response(), seconds(59))).toBe(true)
    expect(kv).toEqual(['get'])
  })

  test('where this Worker does not know the fingerprint, since another one claimed', async () => {
    const objects = apart(env.KEYS)
    const { store, kv } = setUp({}, objects)
    const claim = await hold(durableObjectStore({ namespace: objects }))
    expect(await store.complete(claim, response(), seconds(3_600))).toBe(true)
    expect(kv).toEqual([])
  })
})
