import { startRedisCluster } from '@hopwise/testkit/components'
import { Cluster } from 'ioredis'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { again, hold, milliseconds, minute, pass, request, response, utf8 } from './testing/requests.js'
import { ioredisTo, privateRedis, storeOn } from './testing/servers.js'
import { redisStore } from './index.js'

const name = (key: string): string => `hopwise:idem:${key}`

test('after SCRIPT FLUSH every operation sends its script again', async () => {
  const { client, store } = storeOn(await privateRedis())
  const [first, free] = [request(), request()]
  const flushed = async <T>(step: () => Promise<T>): Promise<T> => {
    await client.script('FLUSH')
    return step()
  }
  expect(await flushed(() => store.claim(first))).toEqual({ kind: 'claimed', fence: 1 })
  const claim = { ...first, fence: 1 }
  expect(await flushed(() => store.renew(claim, minute))).toBe(true)
  expect(await flushed(() => store.savePhase(claim, 'one', '1'))).toBe(true)
  expect(await flushed(() => store.complete(claim, response(), minute))).toBe(true)
  const given = await hold(store, free)
  expect(await flushed(() => store.release(given))).toBe(true)
  // Many at once meet the flushed server, too.
  expect((await flushed(() => Promise.all(Array.from({ length: 50 }, () => store.claim(again(first)))))).map(({ kind }) => kind)).toEqual(Array(50).fill('done'))
})

test('a record is one key that Redis expires by itself', async () => {
  const { client, store } = storeOn(await privateRedis())
  const first = request()
  const claim = await hold(store, first)
  expect(await client.hgetall(name(first.key))).toEqual({
    state: 'pending',
    owner: first.owner,
    fence: '1',
    fingerprint: first.fingerprint,
    lease_until: expect.stringMatching(/^\d{13}$/),
  })
  expect(await client.pttl(name(first.key))).toBeGreaterThan(55_000)
  await store.savePhase(claim, 'charge', '{}')
  await store.complete(claim, response(), milliseconds(5_000))
  expect(await client.get(name(first.key))).toMatch(new RegExp(`^${first.fingerprint}\n\\[".+"\\]\n{"order":1}$`))
  expect(await client.pttl(name(first.key))).toBeLessThanOrEqual(5_000)
  const free = await hold(store)
  await store.savePhase(free, 'charge', '{}')
  await store.release(free)
  expect(await client.hgetall(name(free.key))).toEqual({ state: 'released', fence: '1', released_by: expect.any(String) })
  expect(await client.pttl(name(free.key))).toBeGreaterThan(55_000)
  await hold(store, request({ key: free.key }))
  expect(await client.hkeys(name(free.key))).not.toContain('released_by')
  const brief = request()
  expect(await store.complete(await hold(store, brief), response(), milliseconds(0))).toBe(true)
  await pass(5)
  expect(await store.claim(again(brief))).toEqual({ kind: 'claimed', fence: 1 })
})

test('stores with two prefixes do not meet', async () => {
  const server = await privateRedis()
  const [one, two] = [storeOn(server, { prefix: 'one:' }).store, storeOn(server, { prefix: 'two:' }).store]
  const first = request()
  expect(await one.claim(first)).toEqual({ kind: 'claimed', fence: 1 })
  expect(await two.claim(first)).toEqual({ kind: 'claimed', fence: 1 })
})

test('a key of the same name that holds something else rejects, and is left alone', async () => {
  const { client, store } = storeOn(await privateRedis())
  const first = request()
  await client.rpush(name(first.key), 'mine')
  await expect(store.claim(first)).rejects.toThrow('WRONGTYPE')
  expect(await client.lrange(name(first.key), 0, -1)).toEqual(['mine'])
})

test('when the memory is full, new claims reject, and what is running is renewed, saved, completed and released', async () => {
  const { client, store } = storeOn(await privateRedis())
  const [one, two, three] = [await hold(store), await hold(store), await hold(store)]
  await client.config('SET', 'maxmemory', '1')
  await expect(store.claim(request())).rejects.toThrow('OOM')
  expect(await store.renew(one, milliseconds(50_000))).toBe(true)
  expect(await store.savePhase(one, 'charge', '1')).toBe(true)
  expect(await store.complete(one, response(), minute)).toBe(true)
  expect(await store.complete(two, response(), minute)).toBe(true)
  expect(await store.release(three)).toBe(true)
  expect((await store.claim(request({ key: one.key }))).kind).toBe('done')
})

describe('eviction', () => {
  test.each(['allkeys-lru', 'volatile-ttl'])('maxmemory-policy %s is warned of, once, and nothing is refused', async (policy) => {
    const { client, store, warnings } = await warned(policy)
    for (let count = 0; count < 5; count++) await hold(store)
    await client.ping()
    expect(warnings).toEqual([expect.stringContaining(`maxmemory-policy ${policy}`)])
  })

  test('noeviction is not', async () => {
    const { client, store, warnings } = await warned('noeviction')
    await hold(store)
    await client.ping()
    expect(warnings).toEqual([])
  })

  test('where Redis does not tell, nothing is said, and nothing is refused', async () => {
    const { client, store, warnings } = await warned('allkeys-lru')
    await client.acl('SETUSER', 'default', '-info')
    await hold(store)
    await client.ping()
    expect(warnings).toEqual([])
  })

  test('by default it is a warning of the process, with a code; an onWarning that throws does no harm', async () => {
    const emitted = vi.spyOn(process, 'emitWarning').mockImplementation(() => {})
    onTestFinished(() => emitted.mockRestore())
    const { client } = await warned('allkeys-lru')
    await hold(redisStore({ ioredis: client }))
    await client.ping()
    expect(emitted.mock.calls).toEqual([[expect.stringContaining('allkeys-lru'), { type: 'HopwiseWarning', code: 'redis-eviction' }]])
    const thrower = redisStore({
      ioredis: client,
      onWarning: () => {
        throw new Error('from the user')
      },
    })
    await hold(thrower)
    await client.ping()
    await hold(thrower)
  })

  async function warned(policy: string) {
    const warnings: string[] = []
    const { client, store } = storeOn(await privateRedis(), { onWarning: (message) => void warnings.push(message) })
    await client.config('SET', 'maxmemory-policy', policy)
    return { client, store, warnings }
  }
})

describe('notifications', () => {
  test('without permission to publish, completing and releasing still work', async () => {
    const { client, store } = storeOn(await privateRedis())
    const [done, free] = [await hold(store), await hold(store)]
    await client.acl('SETUSER', 'default', '-publish')
    expect(await store.complete(done, response(), minute)).toBe(true)
    expect(await store.release(free)).toBe(true)
  })

  test('notify: false publishes nothing; on, exactly what is done and released is published, to the channel of the key', async () => {
    const server = await privateRedis()
    const heard: string[] = []
    const listener = ioredisTo(server)
    await listener.psubscribe('*')
    listener.on('pmessage', (_pattern, channel: string, message: string) => void heard.push(`${channel} ${message}`))
    const [silent, { client, store }] = [storeOn(server, { notify: false }).store, storeOn(server)]
    await silent.complete(await hold(silent), response(), minute)
    await silent.release(await hold(silent))
    const [done, free] = [await hold(store), await hold(store)]
    await store.renew(done, minute)
    await store.complete(done, response(), minute)
    await store.complete(done, response(), minute)
    await store.release(free)
    await client.publish('last', 'one')
    await vi.waitFor(() => expect(heard).toContain('last one'))
    expect(heard).toEqual([`${name(done.key)} done`, `${name(free.key)} released`, 'last one'])
  })

  test('a channel is subscribed to once for all who wait, in all stores over one subscriber, and left with the last', async () => {
    const server = await privateRedis()
    const subscriber = ioredisTo(server)
    const [one, two] = [storeOn(server, { subscriber }), storeOn(server, { subscriber })]
    const { key } = request()
    const subscribed = async () => (await one.client.pubsub('NUMSUB', name(key)))[1]
    const stops = await Promise.all([one, one, two].map(({ store }) => store.watch?.(key, () => {})))
    expect(await subscribed()).toBe(1)
    stops[0]?.()
    stops[0]?.()
    stops[1]?.()
    await subscriber.ping()
    expect(await subscribed()).toBe(1)
    stops[2]?.()
    // Entered again while it is being left.
    const stop = await two.store.watch?.(key, () => {})
    expect(await subscribed()).toBe(1)
    stop?.()
    await vi.waitFor(async () => expect(await subscribed()).toBe(0))
  })

  test('a watch that cannot be rejects, and the next one tries again', async () => {
    const server = await privateRedis()
    const subscriber = ioredisTo(server)
    const { client, store } = storeOn(server, { subscriber })
    await client.acl('SETUSER', 'default', '-subscribe')
    const claim = await hold(store)
    await expect(store.watch?.(claim.key, () => {})).rejects.toThrow('NOPERM')
    await client.acl('SETUSER', 'default', '+subscribe')
    let wake = (): void => {}
    const woken = new Promise<void>((resolve) => (wake = resolve))
    await store.watch?.(claim.key, wake)
    await store.release(claim)
    await woken
  })
})

test('proto-redis • 500 keys x 20 claimers → winners 500', async () => {
  const server = await privateRedis()
  const stores = Array.from({ length: 4 }, () => storeOn(server).store)
  expect(await winners(500, 20, stores)).toEqual({ claimed: 500, pending: 9_500 })
})

test('500 keys x 20 claimers on a cluster of three masters → winners 500', async () => {
  const cluster = await startRedisCluster()
  onTestFinished(() => cluster.stop())
  const connections = Array.from({ length: 2 }, () => new Cluster(cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))))
  onTestFinished(() => {
    for (const connection of connections) connection.disconnect()
  })
  expect(await winners(500, 20, connections.map((ioredis) => redisStore({ ioredis })))).toEqual({ claimed: 500, pending: 9_500 })
})

async function winners(keys: number, claimers: number, stores: readonly ReturnType<typeof redisStore>[]) {
  const requests = Array.from({ length: keys }, () => request())
  const claims = Array.from({ length: claimers }, (_, at) => requests.map((one) => stores[at % stores.length]?.claim(again(one))))
  const kinds = (await Promise.all(claims.flat())).map((result) => result?.kind)
  const perKey = requests.map((_, key) => kinds.filter((kind, at) => at % keys === key && kind === 'claimed').length)
  expect(perKey).toEqual(Array(keys).fill(1))
  return { claimed: kinds.filter((kind) => kind === 'claimed').length, pending: kinds.filter((kind) => kind === 'pending').length }
}

test('proto-redis • bytes/pending key 282: about 400 pending; about 540 done, with a body of 100', async () => {
  const { client, store } = storeOn(await privateRedis())
  const used = async () => Number(/^used_memory:(\d+)/m.exec(await client.info('memory'))?.[1])
  const count = 5_000
  await hold(store)
  const before = await used()
  const claims = await Promise.all(Array.from({ length: count }, () => hold(store)))
  const pending = (await used()) - before
  const stored = response({ body: utf8(JSON.stringify({ order: 'x'.repeat(88) })), requestId: crypto.randomUUID() })
  await Promise.all(claims.map((claim) => store.complete(claim, stored, minute)))
  const done = (await used()) - before
  expect(pending / count).toBeLessThan(480)
  expect(done / count).toBeLessThan(620)
})
