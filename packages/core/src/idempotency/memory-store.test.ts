import { describe, expect, test } from 'vitest'
import type { Duration } from '../duration.js'
import { memoryStore, type MemoryStoreOptions } from './memory-store.js'
import type { Claim, ClaimRequest, StoredResponse } from './store.js'

const ms = (value: number) => value as Duration

/** A store with a clock that stands still until it is moved. */
function storeWithClock(options: MemoryStoreOptions = {}) {
  const clock = { now: 5_000.25 }
  let owners = 0
  const store = memoryStore({ ...options, now: () => clock.now })
  const request = (key: string, changes: Partial<ClaimRequest> = {}): ClaimRequest => ({
    key,
    owner: `owner-${++owners}`,
    fingerprint: 'print',
    lease: ms(30_000),
    retention: ms(60_000),
    expired: 'take',
    ...changes,
  })
  const hold = async (key: string, changes: Partial<ClaimRequest> = {}): Promise<Claim> => {
    const asked = request(key, changes)
    const result = await store.claim(asked)
    if (result.kind !== 'claimed') return expect.fail(`the claim of ${key} is ${result.kind}`)
    return { key, owner: asked.owner, fence: result.fence }
  }
  return { store, clock, request, hold }
}

const response = (body: Uint8Array | null = Uint8Array.of(1, 2, 3)): StoredResponse => ({ status: 201, fields: [['x-one', '1']], body, requestId: 'first' })
const bodyOf = (length: number) => response(new Uint8Array(length))

describe('a key\'s life', () => {
  test('claimed, pending, done, and free again after its retention', async () => {
    const { store, clock, request, hold } = storeWithClock()
    const claim = await hold('a')
    expect(claim.fence).toBe(1)
    clock.now += 10_000
    expect(await store.claim(request('a'))).toEqual({ kind: 'pending', leaseLeft: 20_000 })
    expect(await store.complete(claim, response(), ms(40_000))).toBe(true)
    clock.now += 39_999
    expect(await store.claim(request('a'))).toEqual({ kind: 'done', response: response() })
    clock.now += 1
    expect(await store.claim(request('a'))).toEqual({ kind: 'claimed', fence: 1 })
  })

  test('what is left of a lease is at least 1 ms, in whole milliseconds', async () => {
    const { store, clock, request, hold } = storeWithClock()
    await hold('a')
    clock.now += 29_999.9
    expect(await store.claim(request('a'))).toEqual({ kind: 'pending', leaseLeft: 1 })
  })

  test('a mismatch is told before anything else: pending, over, and done', async () => {
    const { store, clock, request, hold } = storeWithClock()
    const claim = await hold('a')
    const other = (expired: ClaimRequest['expired']) => store.claim(request('a', { fingerprint: 'other', expired }))
    expect(await other('take')).toEqual({ kind: 'mismatch' })
    clock.now += 30_000
    for (const expired of ['take', 'report', 1] as const) expect(await other(expired)).toEqual({ kind: 'mismatch' })
    await store.complete(claim, response(), ms(60_000))
    expect(await other('take')).toEqual({ kind: 'mismatch' })
  })

  test('a lease that is over is taken, reported, or taken by its fence', async () => {
    const { store, clock, request, hold } = storeWithClock()
    await hold('a')
    clock.now += 30_000
    expect(await store.claim(request('a', { expired: 'report' }))).toEqual({ kind: 'expired', fence: 1 })
    expect(await store.claim(request('a', { expired: 2 }))).toEqual({ kind: 'expired', fence: 1 })
    expect(await store.claim(request('a', { expired: 1 }))).toEqual({ kind: 'claimed', fence: 2 })
    clock.now += 30_000
    expect(await store.claim(request('a'))).toEqual({ kind: 'claimed', fence: 3 })
  })

  test('a holder whose lease is over may go on while nobody took the key', async () => {
    const held: boolean[] = []
    for (const operation of ['complete', 'renew', 'release'] as const) {
      const { store, clock, hold } = storeWithClock()
      const claim = await hold('a')
      clock.now += 45_000
      const operations = { complete: () => store.complete(claim, response(), ms(1_000)), renew: () => store.renew(claim, ms(1_000)), release: () => store.release(claim) }
      held.push(await operations[operation]())
    }
    expect(held).toEqual([true, true, true])
  })

  test('a holder that lost the key changes nothing, and the new one notices nothing', async () => {
    const { store, clock, request, hold } = storeWithClock()
    const stale = await hold('a')
    clock.now += 30_000
    const current = await hold('a')
    expect(current.fence).toBe(2)
    for (const claim of [stale, { ...current, owner: stale.owner }, { ...current, fence: 1 }]) {
      expect(await store.complete(claim, response(), ms(60_000))).toBe(false)
      expect(await store.renew(claim, ms(90_000))).toBe(false)
      expect(await store.release(claim)).toBe(false)
    }
    expect(await store.claim(request('a'))).toEqual({ kind: 'pending', leaseLeft: 30_000 })
    expect(await store.complete(current, response(), ms(60_000))).toBe(true)
  })

  test('a done key cannot be completed, renewed or released again', async () => {
    const { store, hold } = storeWithClock()
    const claim = await hold('a')
    expect(await store.complete(claim, response(), ms(60_000))).toBe(true)
    expect(await store.complete(claim, response(), ms(60_000))).toBe(false)
    expect(await store.renew(claim, ms(60_000))).toBe(false)
    expect(await store.release(claim)).toBe(false)
  })

  test('a released key is free for any request, and the fence grows on', async () => {
    const { store, request, hold } = storeWithClock()
    const claim = await hold('a')
    expect(await store.release(claim)).toBe(true)
    expect(await store.complete(claim, response(), ms(60_000))).toBe(false)
    expect(await store.claim(request('a', { fingerprint: 'other', expired: 'report' }))).toEqual({ kind: 'claimed', fence: 2 })
    expect(await store.claim(request('a'))).toEqual({ kind: 'mismatch' })
  })

  test('renewing lengthens the lease from now on', async () => {
    const { store, clock, request, hold } = storeWithClock()
    const claim = await hold('a')
    clock.now += 20_000
    expect(await store.renew(claim, ms(30_000))).toBe(true)
    clock.now += 29_999
    expect(await store.claim(request('a'))).toEqual({ kind: 'pending', leaseLeft: 1 })
    clock.now += 1
    expect((await store.claim(request('a', { expired: 'report' }))).kind).toBe('expired')
  })

  test('a run that is longer than the retention keeps its key, by its lease', async () => {
    const { store, clock, request, hold } = storeWithClock()
    const claim = await hold('a', { retention: ms(1_000) })
    clock.now += 20_000
    expect((await store.claim(request('a'))).kind).toBe('pending')
    expect(await store.renew(claim, ms(30_000))).toBe(true)
    clock.now += 29_999
    expect((await store.claim(request('a'))).kind).toBe('pending')
    expect(await store.complete(claim, response(), ms(1_000))).toBe(true)
  })

  test('at the very end of its retention a record is gone, for its holder and for a sweep', async () => {
    const { store, clock, hold } = storeWithClock()
    clock.now = 6_000
    const changes = { lease: ms(1_000), retention: ms(1_000) }
    const [claim] = [await hold('a', changes), await hold('b', changes)]
    clock.now = 6_999
    expect(await store.renew(claim, ms(1))).toBe(true)
    clock.now = 7_000
    expect(await store.complete(claim, response(), ms(60_000))).toBe(false)
    expect(await store.renew(claim, ms(60_000))).toBe(false)
    expect(await store.release(claim)).toBe(false)
    expect(await store.sweep(10)).toBe(2)
  })

  test('of many claims at once one has the key', async () => {
    const { store, request } = storeWithClock()
    const results = await Promise.all(Array.from({ length: 50 }, () => store.claim(request('a'))))
    expect(results.filter(({ kind }) => kind === 'claimed')).toHaveLength(1)
    expect(results.filter(({ kind }) => kind === 'pending')).toHaveLength(49)
  })
})

describe('bytes', () => {
  test('come back as they went in, whatever becomes of the buffers that carried them', async () => {
    const { store, request, hold } = storeWithClock()
    const sent = Uint8Array.of(9, 0xff, 0x00, 0x80, 9).subarray(1, 4)
    await store.complete(await hold('a'), response(sent), ms(60_000))
    sent.fill(7)
    for (let replay = 0; replay < 2; replay++) {
      const result = await store.claim(request('a'))
      const body = result.kind === 'done' ? result.response.body : null
      expect(body).toEqual(Uint8Array.of(0xff, 0x00, 0x80))
      // A byte stream takes a chunk's buffer away from whoever enqueued it.
      if (body !== null) structuredClone(body.buffer, { transfer: [body.buffer] })
    }
  })
})

describe('maxEntries', () => {
  test('a store that is full refuses a new key by an error, and goes on serving those that it has', async () => {
    const { store, clock, request, hold } = storeWithClock({ maxEntries: 2 })
    const first = await hold('a')
    await hold('b')
    await expect(store.claim(request('c'))).rejects.toThrow('the memory store is full: 2 keys are in use')
    expect((await store.claim(request('a'))).kind).toBe('pending')
    expect(await store.renew(first, ms(30_000))).toBe(true)
    expect(await store.complete(first, response(), ms(60_000))).toBe(true)
    expect((await store.claim(request('a'))).kind).toBe('done')
    clock.now += 30_000
    expect(await store.claim(request('b'))).toEqual({ kind: 'claimed', fence: 2 })
  })

  test('what has expired makes room', async () => {
    const { store, clock, request, hold } = storeWithClock({ maxEntries: 2 })
    await hold('a', { retention: ms(30_000) })
    await hold('b', { retention: ms(300_000) })
    clock.now += 29_000
    await expect(store.claim(request('c'))).rejects.toThrow('full')
    clock.now += 2_000
    expect(await store.claim(request('c'))).toEqual({ kind: 'claimed', fence: 1 })
    await expect(store.claim(request('d'))).rejects.toThrow('full')
    expect((await store.claim(request('b'))).kind).toBe('claimed')
  })

  test('what has expired makes room, also behind many keys that were renewed', async () => {
    const { store, clock, request, hold } = storeWithClock({ maxEntries: 300 })
    const kept = await Promise.all(Array.from({ length: 299 }, (_, index) => hold(`kept-${index}`, { lease: ms(1_000), retention: ms(1_000) })))
    clock.now += 900
    await hold('expires', { lease: ms(1_000), retention: ms(1_000) })
    for (const claim of kept) await store.renew(claim, ms(500_000))
    clock.now += 2_000
    expect(await store.claim(request('new'))).toEqual({ kind: 'claimed', fence: 1 })
    await expect(store.claim(request('newer'))).rejects.toThrow('full')
  })

  test('expired keys go as new ones come, without any sweep', async () => {
    const { store, clock, request } = storeWithClock({ maxEntries: 1_000 })
    for (let round = 0; round < 20_000; round++) {
      clock.now += 10
      const asked = request(`key-${round}`, { lease: ms(500), retention: ms(5_000) })
      expect(await store.claim(asked)).toEqual({ kind: 'claimed', fence: 1 })
      await store.complete({ key: asked.key, owner: asked.owner, fence: 1 }, response(null), ms(5_000))
    }
  })
})

describe('maxBytes', () => {
  test('beyond it a response is kept without its body, and the key still counts', async () => {
    const { store, request, hold } = storeWithClock({ maxBytes: 10 })
    await store.complete(await hold('a'), bodyOf(6), ms(60_000))
    await store.complete(await hold('b'), bodyOf(5), ms(60_000))
    await store.complete(await hold('c'), bodyOf(4), ms(60_000))
    expect(await store.claim(request('a'))).toEqual({ kind: 'done', response: bodyOf(6) })
    expect(await store.claim(request('b'))).toEqual({ kind: 'done', response: response(null) })
    expect(await store.claim(request('c'))).toEqual({ kind: 'done', response: bodyOf(4) })
  })

  test('bytes are given back when their record goes, by expiry, by sweep, and by a new claim', async () => {
    const ways = [
      async ({ store, request }: ReturnType<typeof storeWithClock>) => void (await store.claim(request('a'))),
      async ({ store }: ReturnType<typeof storeWithClock>) => void (await store.sweep(10)),
      async ({ hold }: ReturnType<typeof storeWithClock>) => void (await hold('other')),
    ]
    for (const way of ways) {
      const under = storeWithClock({ maxBytes: 10 })
      await under.store.complete(await under.hold('a'), bodyOf(10), ms(10_000))
      under.clock.now += 12_000
      await way(under)
      await under.store.complete(await under.hold('b'), bodyOf(10), ms(60_000))
      expect(await under.store.claim(under.request('b'))).toEqual({ kind: 'done', response: bodyOf(10) })
    }
  })

  test('with none, every body is left out, but an empty one', async () => {
    const { store, request, hold } = storeWithClock({ maxBytes: 0 })
    await store.complete(await hold('a'), bodyOf(1), ms(60_000))
    await store.complete(await hold('b'), bodyOf(0), ms(60_000))
    expect(await store.claim(request('a'))).toEqual({ kind: 'done', response: response(null) })
    expect(await store.claim(request('b'))).toEqual({ kind: 'done', response: bodyOf(0) })
  })
})

describe('sweep', () => {
  test('removes at most so many records whose retention is over, and says how many', async () => {
    const { store, clock, hold } = storeWithClock()
    for (const key of ['a', 'b', 'c']) await hold(key, { retention: ms(30_000) })
    const done = await hold('done', { retention: ms(30_000) })
    await store.complete(done, response(), ms(90_000))
    await store.release(await hold('released', { retention: ms(30_000) }))
    expect(await store.sweep(10)).toBe(0)
    clock.now += 31_000
    expect(await store.sweep(2)).toBe(2)
    expect(await store.sweep(10)).toBe(2)
    expect(await store.sweep(10)).toBe(0)
    clock.now += 60_000
    expect(await store.sweep(10)).toBe(1)
  })

  test('leaves alone what lives on longer than it said at first', async () => {
    const { store, clock, request, hold } = storeWithClock()
    const claim = await hold('a', { lease: ms(1_000), retention: ms(1_000) })
    await store.renew(claim, ms(60_000))
    clock.now += 30_000
    expect(await store.sweep(10)).toBe(0)
    expect((await store.claim(request('a'))).kind).toBe('pending')
    clock.now += 32_000
    expect(await store.sweep(10)).toBe(1)
  })
})

describe('options', () => {
  test.each<[unknown, string]>([
    [{ maxEntries: 0 }, 'memoryStore: option "maxEntries" is 0; allowed: a whole number from 1 to 10000000'],
    [{ maxBytes: -1 }, 'memoryStore: option "maxBytes" is -1; allowed: a whole number from 0 to 1099511627776'],
    [{ now: 5 }, 'memoryStore: option "now" is 5; allowed: a function that returns milliseconds'],
    [{ ttl: '1d' }, 'memoryStore: unknown option "ttl"; allowed: maxEntries, maxBytes, now'],
  ])('refuses %j', (options, message) => {
    expect(() => memoryStore(options as MemoryStoreOptions)).toThrow(message)
  })

  test('none is needed: its clock runs by itself', async () => {
    const store = memoryStore()
    const asked = { key: 'a', owner: 'x', fingerprint: 'print', lease: ms(30_000), retention: ms(60_000), expired: 'take' } as const
    expect(await store.claim(asked)).toEqual({ kind: 'claimed', fence: 1 })
    expect(await store.claim(asked)).toMatchObject({ kind: 'pending' })
  })
})
