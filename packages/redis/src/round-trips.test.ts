import type { ClaimRequest, IdempotencyStore } from '@hopwise/core'
import { createClient } from 'redis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { again, hold, minute, request, response } from './testing/requests.js'
import { ioredisTo, privateRedis } from './testing/servers.js'
import { tcpProxy } from './testing/tcp-proxy.js'
import { redisStore, type RedisStoreOptions } from './index.js'

type Connect = (port: number) => Promise<Pick<RedisStoreOptions, 'ioredis' | 'nodeRedis'>>

const connects: readonly [name: string, connect: Connect][] = [
  [
    'ioredis',
    async (port) => {
      const client = ioredisTo({ port })
      await client.ping()
      return { ioredis: client }
    },
  ],
  [
    'node-redis',
    async (port) => {
      const client = createClient({ url: `redis://127.0.0.1:${port}` })
      await client.connect()
      onTestFinished(() => void client.destroy())
      return { nodeRedis: client }
    },
  ],
]

/** Every script once, and the look at the eviction policy. */
async function warmUp(store: IdempotencyStore): Promise<void> {
  const claim = await hold(store)
  await store.renew(claim, minute)
  await store.savePhase(claim, 'one', '1')
  await store.complete(claim, response(), minute)
  await store.release(await hold(store))
}

describe.each(connects)('over %s', (_name, connect) => {
  async function counted() {
    const server = await privateRedis()
    const proxy = await tcpProxy(server.port)
    const store = redisStore(await connect(proxy.port))
    const count = async (step: () => Promise<unknown>): Promise<number> => {
      proxy.reset()
      await step()
      return proxy.roundTrips()
    }
    return { server, store, count }
  }

  /*
   * hono • node-redis commands: first GET SET GET SET, replay GET
   * idempot • redis commands: first get get set set get ttl setex, replay get get get
   * nestarc • redis client round trips: first hgetall evalsha hgetall evalsha, replay hgetall
   * nodeidem • redis commands: first SET SET, replay SET GET
   */
  test('a first request takes 2 round trips: claim 1, complete 1; a replay, a conflict and a mismatch take 1 each, and so does all else', async () => {
    const { store, count } = await counted()
    await warmUp(store)
    const first = request()
    const claim = { ...first, fence: 1 }
    const asked = (over: Partial<ClaimRequest> = {}) => count(() => store.claim(again(first, over)))

    expect(await count(() => store.claim(first))).toBe(1)
    expect(await asked()).toBe(1)
    expect(await asked({ fingerprint: 'other' })).toBe(1)
    expect(await count(() => store.renew(claim, minute))).toBe(1)
    expect(await count(() => store.savePhase(claim, 'one', '1'))).toBe(1)
    expect(await count(() => store.complete(claim, response(), minute))).toBe(1)
    expect(await asked()).toBe(1)
    expect(await asked({ fingerprint: 'other' })).toBe(1)
    const free = await hold(store)
    expect(await count(() => store.release(free))).toBe(1)
    expect(await count(() => store.sweep(100))).toBe(0)
  })

  test('a script that the server does not have costs one more, once; its first use also looks at the eviction policy', async () => {
    const { store, count } = await counted()
    expect(await count(() => hold(store))).toBe(2)
    // The look at the policy may be still under way, in the same round trip or in one of its own.
    await hold(store)
    expect(await count(() => hold(store))).toBe(1)
  })
})
