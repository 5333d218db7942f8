import { describe, expect, test } from 'vitest'
import { apart } from '../testing/apart.js'
import { env } from '../testing/env.js'
import { again, hold, request, response, seconds } from '../testing/requests.js'
import { durableObjectStore } from './store.js'

describe('each operation is one call of one object', () => {
  test('a first request takes two, a replay, a conflict and a mismatch one', async () => {
    const namespace = apart(env.KEYS)
    const store = durableObjectStore({ namespace })
    const first = request()
    const claim = await hold(store, first)
    expect((await store.claim(again(first))).kind).toBe('pending')
    expect((await store.claim(again(first, { fingerprint: 'other' }))).kind).toBe('mismatch')
    expect(await store.renew(claim, seconds(60))).toBe(true)
    expect(await store.savePhase(claim, 'one', '1')).toBe(true)
    const stop = await store.watch?.(claim.key, () => {})
    expect(await store.complete(claim, response(), seconds(60))).toBe(true)
    stop?.()
    expect((await store.claim(again(first))).kind).toBe('done')
    expect(await store.release(claim)).toBe(false)
    expect(await store.sweep(10)).toBe(0)
    expect(namespace.calls).toEqual(['claim', 'claim', 'claim', 'renew', 'savePhase', 'watch', 'complete', 'claim', 'release', 'sweep'])
    expect(new Set(namespace.names.slice(0, -1)).size).toBe(1)
  })
})

describe('shards', () => {
  test('keys are spread evenly over 16 objects, each always to the same one', async () => {
    const namespace = apart(env.KEYS)
    const store = durableObjectStore({ namespace })
    const requests = Array.from({ length: 320 }, () => request())
    await Promise.all(requests.map((each) => store.claim(each)))
    const counts = new Map<string, number>()
    for (const name of namespace.names) counts.set(name, (counts.get(name) ?? 0) + 1)
    expect([...counts.keys()].toSorted()).toEqual(Array.from({ length: 16 }, (_, index) => `hopwise:${index}`).toSorted())
    expect(Math.min(...counts.values())).toBeGreaterThan(10)
    expect((await Promise.all(requests.map((each) => store.claim(again(each))))).map(({ kind }) => kind)).toEqual(requests.map(() => 'pending'))
  })

  test('a sweep looks at one object, and at each in turn', async () => {
    const namespace = apart(env.KEYS)
    const store = durableObjectStore({ namespace, shards: 4 })
    for (let count = 0; count < 4; count++) await store.sweep(10)
    expect(namespace.calls.length).toBe(4)
    expect(new Set(namespace.names).size).toBe(4)
  })

  test('an object may be named by the caller, such as after a principal; then nothing is swept from outside', async () => {
    const namespace = apart(env.KEYS)
    const storeOf = (principal: string) => durableObjectStore({ namespace, shard: () => `principal:${principal}` })
    const first = request()
    await hold(storeOf('alice'), first)
    await hold(storeOf('bob'), again(first))
    expect((await storeOf('alice').claim(again(first))).kind).toBe('pending')
    expect(namespace.names).toEqual(['principal:alice', 'principal:bob', 'principal:alice'])
    expect(await storeOf('alice').sweep(10)).toBe(0)
    expect(namespace.calls.length).toBe(3)
  })

  test.each([undefined, '', 'n'.repeat(513), 7])('a name that is %j is refused', async (name) => {
    const store = durableObjectStore({ namespace: env.KEYS, shard: () => name as string })
    await expect(store.claim(request())).rejects.toMatchObject({ code: 'option-invalid', message: expect.stringContaining('1 to 512 characters') })
  })
})
