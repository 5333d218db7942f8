import { createIdempotency, type Incoming } from '@hopwise/core'
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test'
import { describe, expect, test, vi } from 'vitest'
import { env } from '../testing/env.js'
import { again, hold, request, response, seconds } from '../testing/requests.js'
import { objectClock } from '../testing/worker.js'
import { durableObjectStore } from './store.js'

let objects = 0

/** A store on one object of its own, and that object. */
function setUp() {
  const name = `object-${++objects}`
  const stub = env.CLOCKED.get(env.CLOCKED.idFromName(name))
  const inside = <T>(look: (storage: DurableObjectStorage) => T | Promise<T>): Promise<T> => runInDurableObject(stub, (_instance, { storage }) => look(storage))
  return {
    store: durableObjectStore({ namespace: env.CLOCKED, shard: () => name }),
    stub,
    records: () => inside(({ sql }) => sql.exec('SELECT count(*) AS n FROM hopwise_idempotency').one()['n']),
    /** Milliseconds from now, on the object's clock. */
    alarmIn: async () => {
      const at = await inside((storage) => storage.getAlarm())
      return at === null ? undefined : at - Date.now() - objectClock.ahead
    },
  }
}

describe('the alarm', () => {
  test('removes what is over, is set for what is left, and is not set again where nothing is', async () => {
    const { store, stub, records, alarmIn } = setUp()
    for (let count = 0; count < 3; count++) await hold(store, request({ retention: seconds(100) }))
    await store.complete(await hold(store, request({ retention: seconds(100) })), response(), seconds(300))
    expect(await alarmIn()).toBeGreaterThan(95_000)
    expect(await alarmIn()).toBeLessThanOrEqual(100_000)

    objectClock.ahead += seconds(101)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    expect(await records()).toBe(1)
    expect(await alarmIn()).toBeGreaterThan(190_000)

    objectClock.ahead += seconds(300)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    expect(await records()).toBe(0)
    expect(await runDurableObjectAlarm(stub)).toBe(false)
  })

  test('comes at most once a minute, however short the retention is, and moves forward for a record that ends sooner', async () => {
    const { store, alarmIn } = setUp()
    await hold(store)
    expect(await alarmIn()).toBeGreaterThan(3_500_000)
    for (let count = 0; count < 5; count++) await hold(store, request({ lease: seconds(1), retention: seconds(1) }))
    expect(await alarmIn()).toBeGreaterThan(55_000)
    expect(await alarmIn()).toBeLessThanOrEqual(60_000)
  })

  test('that comes too early removes nothing', async () => {
    const { store, stub, records, alarmIn } = setUp()
    await hold(store)
    expect(await runDurableObjectAlarm(stub)).toBe(true)
    expect(await records()).toBe(1)
    expect(await alarmIn()).toBeGreaterThan(3_500_000)
  })

  test('is found again by an object that was evicted', async () => {
    const { store, stub, alarmIn } = setUp()
    await hold(store, request({ retention: seconds(100) }))
    await evictDurableObject(stub)
    await hold(store)
    expect(await alarmIn()).toBeLessThanOrEqual(100_000)
  })
})

test('an object that was evicted has forgotten nothing but its waiters', async () => {
  const { store, stub } = setUp()
  const [first, second] = [request(), request({ lease: seconds(1) })]
  const claim = await hold(store, first)
  const crashed = await hold(store, second)
  await store.savePhase(crashed, 'charge', '{"id":1}')
  await evictDurableObject(stub)
  expect((await store.claim(again(first))).kind).toBe('pending')
  expect(await store.complete(claim, response(), seconds(60))).toBe(true)
  await evictDurableObject(stub)
  expect(await store.claim(again(first))).toEqual({ kind: 'done', response: response() })
  objectClock.ahead += seconds(2)
  expect(await store.claim(again(second))).toEqual({ kind: 'claimed', fence: 2, phases: { charge: '{"id":1}' } })
})

describe('the room of a row', () => {
  test('1.9 MB of body are kept', async () => {
    const { store } = setUp()
    const first = request()
    expect(await store.complete(await hold(store, first), response(1_900_000), seconds(60))).toBe(true)
    const result = await store.claim(again(first))
    // Not by toEqual, which looks at each byte for 20 seconds.
    expect(result.kind === 'done' && result.response.body?.length).toBe(1_900_000)
    expect(result.kind === 'done' && result.response.body?.every((byte) => byte === 7)).toBe(true)
  })

  test.each([
    ['2 MB of body', response(2_000_000)],
    ['1.9 MB of body with 100 kB of fields', { ...response(1_900_000), fields: [['x-long', 'é'.repeat(50_000)]] as const }],
  ])('of a response with %s, status and fields are kept', async (_what, large) => {
    const { store } = setUp()
    const first = request()
    expect(await store.complete(await hold(store, first), large, seconds(60))).toBe(true)
    expect(await store.claim(again(first))).toEqual({ kind: 'done', response: { ...large, body: null } })
  })
})

test('of phases for which a row has no room, one is refused and the run goes on', async () => {
  const { store } = setUp()
  const first = request({ lease: seconds(1) })
  const claim = await hold(store, first)
  const large = JSON.stringify('x'.repeat(65_000))
  let saved = 0
  await expect(async () => {
    for (; saved < 40; saved++) await store.savePhase(claim, `phase-${saved}`, large)
  }).rejects.toThrow('no room for them')
  expect(saved).toBeGreaterThan(25)
  expect(await store.renew(claim, seconds(1))).toBe(true)
  objectClock.ahead += seconds(2)
  const taken = await store.claim(again(first))
  expect(taken.kind === 'claimed' && Object.keys(taken.phases ?? {}).length).toBe(saved)
})

describe('waiters', () => {
  test('leave the object when they are stopped', async () => {
    const { store, stub } = setUp()
    const claim = await hold(store)
    const stops = await Promise.all(Array.from({ length: 5 }, () => store.watch?.(claim.key, () => {})))
    expect(await stub.waiting()).toBe(5)
    for (const stop of stops) stop?.()
    await vi.waitFor(async () => expect(await stub.waiting()).toBe(0))
  })

  test('a retry that waits for the first result is in the object until it has it', async () => {
    const { store, stub } = setUp()
    const engine = createIdempotency<null>({ store, scope: 'global', onConflict: 'wait', waitAtMost: '1m', storeDeadline: '10s' })
    const first = await engine.begin(incoming())
    if (first.kind !== 'run') throw new Error(first.kind)
    const retry = engine.begin(incoming())
    await vi.waitFor(async () => expect(await stub.waiting()).toBe(1))
    await first.ticket.settle({ status: 201, fields: [['content-type', 'text/plain']], body: new TextEncoder().encode('made') })
    const decision = await retry
    if (decision.kind !== 'reply') throw new Error(decision.kind)
    expect([decision.response.status, new TextDecoder().decode(decision.response.body)]).toEqual([201, 'made'])
    await vi.waitFor(async () => expect(await stub.waiting()).toBe(0))
  })
})

function incoming(): Incoming<null> {
  return {
    native: null,
    method: 'POST',
    target: '/orders',
    route: '/orders',
    requestId: undefined,
    field: (name) => (name === 'idempotency-key' ? ['"waits"'] : []),
    body: async () => new Uint8Array(),
  }
}
