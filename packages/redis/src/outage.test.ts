import { createIdempotency, type Incoming } from '@hopwise/core'
import { createClient } from 'redis'
import { describe, expect, onTestFinished, test } from 'vitest'
import { again, hold, minute, pass, request, response } from './testing/requests.js'
import { ioredisTo, privateRedis } from './testing/servers.js'
import { tcpProxy } from './testing/tcp-proxy.js'
import { redisStore, type RedisStoreOptions } from './index.js'

type Connect = (port: number) => Promise<Pick<RedisStoreOptions, 'ioredis' | 'nodeRedis'>>

const connects: readonly [name: string, connect: Connect][] = [
  ['ioredis', async (port) => ({ ioredis: ioredisTo({ port }) })],
  [
    'node-redis',
    async (port) => {
      const client = createClient({ url: `redis://127.0.0.1:${port}`, disableOfflineQueue: true, socket: { reconnectStrategy: () => 20 } })
      client.on('error', () => {})
      await client.connect()
      onTestFinished(() => void client.destroy())
      return { nodeRedis: client }
    },
  ],
]

/** A keyed request, as an adapter hands it to the engine. */
const incoming: Incoming<undefined> = {
  method: 'POST',
  target: '/orders',
  route: '/orders',
  field: (name) => (name === 'idempotency-key' ? ['"k-1"'] : []),
  body: async () => new Uint8Array(0),
  requestId: undefined,
  native: undefined,
}

/** Whether a promise is settled within `time` ms. */
function settles(promise: Promise<unknown>, time: number): Promise<boolean> {
  return Promise.race([
    promise.then(
      () => true,
      () => true,
    ),
    pass(time).then(() => false),
  ])
}

async function untilItWorks<T>(step: () => Promise<T>): Promise<T> {
  for (let triesLeft = 200; ; triesLeft--) {
    try {
      return await step()
    } catch (error) {
      if (triesLeft === 0) throw error
      await pass(25)
    }
  }
}

describe.each(connects)('over %s', (_name, connect) => {
  test('a frozen server: an operation hangs, no more, and is done when it goes on', async () => {
    const server = await privateRedis()
    const store = redisStore(await connect(server.port))
    const first = request()
    const claim = await hold(store, first)
    server.pause()
    const completing = store.complete(claim, response(), minute)
    expect(await settles(completing, 300)).toBe(false)
    server.resume()
    expect(await completing).toBe(true)
    expect(await store.claim(again(first))).toEqual({ kind: 'done', response: response() })
  })

  // nodeidem • store down (express): HANG>3000ms. exidem • store throws once → whole process: exit code 1.
  test('a frozen or dead server under the engine: 503 within the deadline, and the process lives on', async () => {
    const server = await privateRedis()
    const idempotency = createIdempotency<undefined>({ store: redisStore(await connect(server.port)), scope: 'global', storeDeadline: 200 })
    const status = async () => {
      const decision = await idempotency.begin(incoming)
      return decision.kind === 'reply' ? decision.response.status : decision.kind
    }
    server.pause()
    const startedAt = performance.now()
    expect(await status()).toBe(503)
    expect(performance.now() - startedAt).toBeLessThan(2_000)
    server.resume()
    await server.kill()
    expect(await status()).toBe(503)
    await server.restart()
    // A claim that was given up on may have come through, and is given back.
    expect(await untilItWorks(async () => ((await status()) === 'run' ? 'run' : Promise.reject(new Error('not yet'))))).toBe('run')
  })

  test('a killed server: operations reject; restarted: they work again, with the scripts loaded anew', async () => {
    const server = await privateRedis()
    const store = redisStore(await connect(server.port))
    const claim = await hold(store)
    await server.kill()
    await expect(store.renew(claim, minute)).rejects.toThrow()
    await expect(store.claim(request())).rejects.toThrow()
    await server.restart()
    // Without persistence everything is forgotten, which only Redis's own settings can help.
    expect(await untilItWorks(() => store.renew(claim, minute))).toBe(false)
    expect(await untilItWorks(() => store.claim(request()))).toEqual({ kind: 'claimed', fence: 1 })
  })
})

describe('a command whose answer is lost with the connection, and which ioredis sends again', () => {
  async function losing() {
    const server = await privateRedis()
    const proxy = await tcpProxy(server.port)
    const client = ioredisTo({ port: proxy.port })
    const store = redisStore({ ioredis: client })
    const other = redisStore({ ioredis: ioredisTo(server) })
    await hold(store)
    await pass(20)
    return { proxy, store, other }
  }

  test('a claim is not refused by itself', async () => {
    const { proxy, store, other } = await losing()
    const first = request()
    proxy.loseNextAnswer()
    expect(await store.claim(first)).toEqual({ kind: 'claimed', fence: 1 })
    expect((await other.claim(again(first))).kind).toBe('pending')
    expect(await store.complete({ ...first, fence: 1 }, response(), minute)).toBe(true)
  })

  test('a takeover keeps its fence and its phases', async () => {
    const { proxy, store, other } = await losing()
    const first = request({ lease: 1 as typeof minute })
    await other.savePhase(await hold(other, first), 'charge', '1')
    await pass(10)
    const next = again(first, { lease: minute })
    proxy.loseNextAnswer()
    expect(await store.claim(next)).toEqual({ kind: 'claimed', fence: 2, phases: { charge: '1' } })
    expect(await store.renew({ ...next, fence: 2 }, minute)).toBe(true)
  })

  test('complete and release succeed, and a second one of the same holder does not', async () => {
    const { proxy, store } = await losing()
    const [done, free] = [await hold(store), await hold(store)]
    // Their scripts must be there: else the answer that is lost is the one that asks for them.
    await store.complete(await hold(store), response(), minute)
    await store.release(await hold(store))
    proxy.loseNextAnswer()
    expect(await store.complete(done, response(), minute)).toBe(true)
    expect(await store.complete(done, response(), minute)).toBe(false)
    proxy.loseNextAnswer()
    expect(await store.release(free)).toBe(true)
    expect(await store.release(free)).toBe(false)
  })
})
