import type { ClaimResult, IdempotencyStore } from '@hopwise/core'
import { Redis } from 'ioredis'
import { createClient } from 'redis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { again, hold, milliseconds, minute, pass, request, response, utf8 } from './testing/requests.js'
import { privateRedis, storeOn } from './testing/servers.js'
import { redisStore } from './index.js'

/*
 * What other idempotency packages were seen to do over Redis in November 2026 (package • what was seen), and what this
 * store does. More of it is in round-trips.test.ts (commands a request), clients.test.ts (binary bodies), outage.test.ts
 * (a store that is down or throws) and redis-store.test.ts (proto-redis: 500 keys, bytes a key).
 */

/** What a wrapper around a handler would do with the store: run it, replay it, or say why not. */
async function once(store: IdempotencyStore, asked: ReturnType<typeof request>, run: () => Promise<ReturnType<typeof response>>): Promise<ClaimResult['kind']> {
  const result = await store.claim(again(asked, { owner: asked.owner }))
  if (result.kind !== 'claimed') return result.kind
  await store.complete({ key: asked.key, owner: asked.owner, fence: result.fence }, await run(), minute)
  return 'claimed'
}

async function runs(stores: readonly IdempotencyStore[], times: number): Promise<number> {
  let executions = 0
  const first = request()
  const run = async () => {
    executions++
    await pass(20)
    return response()
  }
  await Promise.all(Array.from({ length: times }, (_, at) => once(stores[at % stores.length] as IdempotencyStore, again(first), run)))
  expect(await once(stores[0] as IdempotencyStore, again(first), run)).toBe('done')
  return executions
}

describe('one key, many at once', () => {
  test('hono • redisStore + ioredis (README example): status 500, executions 0 → with the example of our README: one execution, then replays', async () => {
    const server = await privateRedis()
    const [client, subscriber] = [new Redis(server.url), new Redis(server.url)]
    onTestFinished(() => {
      client.disconnect()
      subscriber.disconnect()
    })
    expect(await runs([redisStore({ ioredis: client, subscriber })], 10)).toBe(1)
  })

  test('hono • redisStore + @upstash/redis option semantics: 10 concurrent + 1 later, executions 11, ttl -1 → one execution, and a ttl', async () => {
    const { client } = storeOn(await privateRedis())
    const viaJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value))
    const store = redisStore({ sendCommand: async ([name = '', ...args]) => viaJson(await client.call(name, ...args)) })
    expect(await runs([store], 10)).toBe(1)
    const keys = await client.keys('*')
    expect(keys.length).toBe(1)
    expect(await client.ttl(keys[0] ?? '')).toBeGreaterThan(0)
  })

  test('exidem, uir • 50 concurrent same key: executions 3; hono, idempot, nodeidem: 1 → 50 over five connections: 1', async () => {
    const server = await privateRedis()
    expect(await runs(Array.from({ length: 5 }, () => storeOn(server).store), 50)).toBe(1)
  })

  test('hono, node-redis (README) → one execution', async () => {
    const server = await privateRedis()
    const client = createClient({ url: server.url })
    await client.connect()
    onTestFinished(() => void client.destroy())
    expect(await runs([redisStore({ nodeRedis: client })], 10)).toBe(1)
  })
})

describe('a process that is gone', () => {
  test.each(['idempot', 'hono', 'nodeidem'])('kill • %s: stuck_for_s 86398 on a fresh process → taken over when the lease is over, a day of retention or not', async () => {
    const server = await privateRedis()
    const dead = storeOn(server)
    const first = request({ lease: milliseconds(1_000), retention: milliseconds(86_400_000) })
    await dead.store.savePhase(await hold(dead.store, first), 'charge', '"ch_1"')
    dead.client.disconnect()
    const fresh = storeOn(server).store
    expect((await fresh.claim(again(first))).kind).toBe('pending')
    await pass(1_100)
    expect(await fresh.claim(again(first))).toEqual({ kind: 'claimed', fence: 2, phases: { charge: '"ch_1"' } })
  })

  test.each([
    'idempot • client times out mid-handler then retries: 409, key_ttl_s 86398',
    'nodeidem • res.end(): retry 409, stuck_ttl_s 86400',
    'nodeidem • handler error via next(err): retry 409, ttl 86400',
  ])('%s → a claim says how long it still holds, and it is no longer than its lease', async () => {
    const { store } = storeOn(await privateRedis())
    const first = request({ lease: milliseconds(2_000), retention: milliseconds(86_400_000) })
    await hold(store, first)
    const result = await store.claim(again(first))
    expect(result.kind === 'pending' && result.leaseLeft > 0 && result.leaseLeft <= 2_000).toBe(true)
  })
})

describe('an owner that was too slow', () => {
  test.each([
    'redisx • handler slower than lockTimeout: B takes over while A is alive, replay returns A (stale owner)',
    'powertools • lease expired, B took over, paused A then completes: retry returns A (stale owner)',
    'proto-redis • A N 1, B takeover T 2, stale A complete 0, B complete 1, replay D B, mismatch M',
  ])('%s → B, and A hears that it is stale', async () => {
    const server = await privateRedis()
    const [a, b] = [storeOn(server).store, storeOn(server).store]
    const first = request({ lease: milliseconds(100) })
    const former = await hold(a, first)
    await pass(150)
    const current = await hold(b, again(first))
    expect([former.fence, current.fence]).toEqual([1, 2])
    expect(await a.complete(former, response({ body: utf8('A') }), minute)).toBe(false)
    expect(await b.complete(current, response({ body: utf8('B') }), minute)).toBe(true)
    expect(await a.complete(former, response({ body: utf8('A') }), minute)).toBe(false)
    expect(await a.claim(again(first))).toEqual({ kind: 'done', response: response({ body: utf8('B') }) })
    expect(await a.claim(again(first, { fingerprint: 'other' }))).toEqual({ kind: 'mismatch' })
  })

  test('redisx • handler slower than lockTimeout runs twice while alive → a lease that is renewed is not taken', async () => {
    const { store } = storeOn(await privateRedis())
    const first = request({ lease: milliseconds(1_000) })
    const claim = await hold(store, first)
    for (let renewal = 0; renewal < 3; renewal++) {
      await pass(400)
      expect(await store.renew(claim, milliseconds(1_000))).toBe(true)
      expect((await store.claim(again(first))).kind).toBe('pending')
    }
  })
})

describe('what is stored', () => {
  test.each<[seen: string, stored: ReturnType<typeof response>]>([
    ['nodeidem • 204 No Content, then retry → executions 2', response({ status: 204, fields: [], body: new Uint8Array(0) })],
    ['nodeidem • res.json(0), then retry → executions 2', response({ status: 200, body: utf8('0') })],
    ['idempot • res.write/res.end: replay_body ""', response({ status: 200, body: utf8('hello world') })],
    ['nodeidem • 500 JSON: retry 500 E:undefined', response({ status: 500, body: utf8('{"error":"transient","n":1}') })],
    ['idempot • handler throws: retry 500, body ""', response({ status: 500, body: utf8('boom') })],
    ['nodeidem • Location header on replay: null', response({ status: 201, fields: [['location', '/orders/1']] })],
    ['hono • 303 See Other retry: executions 2', response({ status: 303, fields: [['Location', '/order/1']], body: new Uint8Array(0) })],
    ['hono • 402 declined retry: executions 2', response({ status: 402, body: utf8('{"error":"card_declined","attempt":1}') })],
    ['nodeidem • binary 89ff00: {"type":"Buffer",...}', response({ body: Uint8Array.of(0x89, 0xff, 0) })],
    ['idempot • binary 00fffe01: {"type":"Buffer",...}', response({ body: Uint8Array.of(0, 0xff, 0xfe, 1) })],
    ['hono • FIRST binary response 8950fffe00: efbfbd50efbfbdefbfbd00', response({ body: Uint8Array.of(0x89, 0x50, 0xff, 0xfe, 0) })],
  ])('%s → one execution, and the replay is the same to the byte', async (_seen, stored) => {
    const { store } = storeOn(await privateRedis())
    const first = request()
    await store.complete(await hold(store, first), stored, minute)
    expect(await store.claim(again(first))).toEqual({ kind: 'done', response: stored })
  })

  test('idempot • two users, DIFFERENT fresh keys, both empty bodies: second 409 → keys with one fingerprint do not meet', async () => {
    const { store } = storeOn(await privateRedis())
    const [one, two] = [request(), request()]
    expect(one.fingerprint).toBe(two.fingerprint)
    expect(await store.claim(one)).toEqual({ kind: 'claimed', fence: 1 })
    expect(await store.claim(two)).toEqual({ kind: 'claimed', fence: 1 })
  })

  test('hono • D1: key reused after its TTL expired: 409, 409 → free again', async () => {
    const { store } = storeOn(await privateRedis())
    const first = request()
    await store.complete(await hold(store, first), response(), milliseconds(50))
    await pass(100)
    expect(await store.claim(again(first))).toEqual({ kind: 'claimed', fence: 1 })
  })

  test('powertools • effect done, saving the result fails → the key stays held, so that the effect is not repeated at once', async () => {
    const { client, store } = storeOn(await privateRedis())
    const first = request()
    const claim = await hold(store, first)
    // The server forgets the script, and may not be told it again: the completion fails on the way.
    await client.script('FLUSH')
    await client.acl('SETUSER', 'default', '-eval')
    await expect(store.complete(claim, response(), minute)).rejects.toThrow('NOPERM')
    await client.acl('SETUSER', 'default', '+eval')
    expect((await store.claim(again(first))).kind).toBe('pending')
    expect(await store.complete(claim, response(), minute)).toBe(true)
  })
})
