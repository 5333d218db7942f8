import type { Claim } from '@hopwise/core'
import { startRedis, startRedisCluster, type Redis, type RedisCluster } from '@hopwise/testkit/components'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { clients, clusterClients, type Connect } from './testing/clients.js'
import { again, hold, milliseconds, minute, pass, request, response, utf8 } from './testing/requests.js'
import { redisStore } from './index.js'

let redis: Redis
let cluster: RedisCluster

beforeAll(async () => {
  ;[redis, cluster] = await Promise.all([startRedis(), startRedisCluster()])
})
afterAll(async () => {
  await Promise.all([redis?.stop(), cluster?.stop()])
})

const subjects: readonly [name: string, connect: Connect, ports: () => number[]][] = [
  ...Object.entries(clients).map(([name, connect]) => [name, connect, () => [redis.port]] as [string, Connect, () => number[]]),
  ...Object.entries(clusterClients).map(([name, connect]) => [name, connect, () => cluster.nodes.map(({ port }) => port)] as [string, Connect, () => number[]]),
]

const everyByte = Uint8Array.from({ length: 256 }, (_, byte) => byte)

describe.each(subjects)('over %s', (name, connect, ports) => {
  async function openStore() {
    const { options, subscriber, close } = await connect(ports())
    onTestFinished(close)
    return redisStore({ ...options, subscriber, prefix: `${name}:` })
  }

  // hono • FIRST binary response (efbfbd for 89 and ff), nodeidem • binary ({"type":"Buffer",...}), idempot • binary (the same).
  test.each<[what: string, body: Uint8Array | null]>([
    ['all 256 byte values', everyByte],
    ['text with line feeds, NUL, a byte order mark and letters of all lengths', utf8('\ufeff{"a":1}\r\n\n\0 é 한국어 😀')],
    ['text that looks like a number', utf8('1e5')],
    ['a PNG beginning', Uint8Array.of(0x89, 0x50, 0x4e, 0x47, 0xff, 0xfe, 0x00)],
    ['no bytes', new Uint8Array(0)],
    ['no body', null],
  ])('a body of %s comes back to the byte', async (_what, body) => {
    const store = await openStore()
    const first = request()
    const stored = response({ body, requestId: '12345678901234567890' })
    expect(await store.complete(await hold(store, first), stored, minute)).toBe(true)
    expect(await store.claim(again(first))).toEqual({ kind: 'done', response: stored })
  })

  test('held, mismatched, expired and taken over with its phases', async () => {
    const store = await openStore()
    const first = request()
    const claim = await hold(store, first)
    expect(await store.savePhase(claim, '12', '{"id":"ch_1"}')).toBe(true)
    expect(await store.savePhase(claim, 'größe', '17')).toBe(true)
    expect(await store.claim(again(first))).toEqual({ kind: 'pending', leaseLeft: expect.any(Number) })
    expect(await store.claim(again(first, { fingerprint: '0'.repeat(64) }))).toEqual({ kind: 'mismatch' })
    expect(await store.renew(claim, milliseconds(1))).toBe(true)
    await pass(20)
    expect(await store.claim(again(first, { expired: 'report' }))).toEqual({ kind: 'expired', fence: 1 })
    expect(await store.claim(again(first))).toEqual({ kind: 'claimed', fence: 2, phases: { 12: '{"id":"ch_1"}', größe: '17' } })
    expect(await store.renew(claim, minute)).toBe(false)
  })

  test('a watcher wakes on complete and on release', async () => {
    const store = await openStore()
    for (const end of [(claim: Claim) => store.complete(claim, response(), minute), store.release]) {
      const claim = await hold(store)
      let wake = (): void => {}
      const woken = new Promise<void>((resolve) => (wake = resolve))
      const stop = await store.watch?.(claim.key, wake)
      expect(await end(claim)).toBe(true)
      await woken
      stop?.()
    }
  })
})

test('what one client stores, every other one reads', async () => {
  const connections = await Promise.all(Object.values(clients).map((connect: Connect) => connect([redis.port])))
  onTestFinished(async () => void (await Promise.all(connections.map(({ close }) => close()))))
  const names = Object.keys(clients).filter((name) => name !== 'ioredis with a keyPrefix')
  const stores = Object.keys(clients).flatMap((name, at) => (names.includes(name) ? [redisStore({ ...connections[at]?.options, prefix: 'all:' })] : []))
  for (const store of stores) {
    const first = request()
    const stored = response({ body: everyByte })
    await store.complete(await hold(store, first), stored, minute)
    for (const other of stores) expect(await other.claim(again(first))).toEqual({ kind: 'done', response: stored })
  }
})
