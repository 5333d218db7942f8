import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Duration } from '../duration.js'
import { createIdempotency, type Decision } from './engine.js'
import type { Incoming } from './incoming.js'
import { memoryStore } from './memory-store.js'
import type { IdempotencyOptions } from './options.js'
import type { ClaimResult, IdempotencyStore } from './store.js'

const hex64 = expect.stringMatching(/^[0-9a-f]{64}$/) as string
const timeout = expect.objectContaining({ name: 'StoreTimeout' }) as Error
const broken = new Error('the store is away')
const claimed = (fence: number): ClaimResult => ({ kind: 'claimed', fence })

beforeEach(() => {
  vi.useFakeTimers()
  // No clock starts at nothing.
  vi.advanceTimersByTime(7_000)
})
afterEach(() => {
  vi.useRealTimers()
})

const request = (key = 'key-1'): Incoming<undefined> => ({
  method: 'POST',
  target: '/orders',
  route: '/orders',
  field: (name) => (name === 'idempotency-key' ? [key] : []),
  body: async () => Uint8Array.of(1),
  requestId: undefined,
  native: undefined,
})

/** An engine over a store whose claims are answered by the test, one after another. */
function setUp(options: Partial<IdempotencyOptions<undefined>> = {}, does: Partial<IdempotencyStore> = {}) {
  const asked: { answer: (result: ClaimResult) => void; fail: (error: unknown) => void }[] = []
  let arrived = (): void => {}
  const store = {
    claim: vi.fn(does.claim ?? (() =>
      new Promise<ClaimResult>((answer, fail) => {
        asked.push({ answer, fail })
        arrived()
      }))),
    complete: vi.fn(async () => true),
    renew: vi.fn(async () => true),
    release: vi.fn(does.release ?? (async () => true)),
    savePhase: vi.fn(async () => true),
    sweep: vi.fn(async () => 0),
  }
  const engine = createIdempotency<undefined>({ store, scope: 'global', ...options })
  const told: [string, unknown][] = []
  for (const name of ['claimed', 'taken-over', 'outcome-unknown', 'store-error'] as const) engine.on(name, (event) => told.push([name, event]))
  /** Resolves once the store has been asked to claim for the `count`th time. */
  const claimAsked = (count = 1) =>
    new Promise<(typeof asked)[number]>((resolve) => {
      arrived = () => {
        const claim = asked[count - 1]
        if (claim !== undefined) resolve(claim)
      }
      arrived()
    })
  return { engine, store, told, claimAsked }
}

function refusal(decision: Decision) {
  if (decision.kind !== 'reply') return expect.fail(`the request is to ${decision.kind}`)
  const { status, fields, body } = decision.response
  const { type } = JSON.parse(new TextDecoder().decode(body)) as { type: string }
  return [status, type, fields.find(([name]) => name === 'retry-after')?.[1]]
}

const unavailable = [503, 'urn:hopwise:problem:store-unavailable', '1']

describe('a store that fails to claim', () => {
  const ways: [string, IdempotencyStore['claim']][] = [
    ['by rejecting', () => Promise.reject(broken)],
    ['by throwing at once', () => { throw broken }],
  ]

  test.each(ways)('%s: 503 with Retry-After, and an event', async (_how, claim) => {
    const { engine, store, told } = setUp({}, { claim })
    expect(refusal(await engine.begin(request()))).toEqual(unavailable)
    expect(told).toEqual([['store-error', { operation: 'claim', key: hex64, error: broken }]])
    expect(store.release).not.toHaveBeenCalled()
  })

  test.each(ways)('%s, where it was said to proceed: the handler runs unprotected, and the event is the same', async (_how, claim) => {
    const { engine, told } = setUp({ onStoreError: 'proceed' }, { claim })
    expect(await engine.begin(request())).toEqual({ kind: 'pass' })
    expect(told).toEqual([['store-error', { operation: 'claim', key: hex64, error: broken }]])
  })

  test('since it is full', async () => {
    const store = memoryStore({ maxEntries: 1 })
    const engine = createIdempotency<undefined>({ store, scope: 'global' })
    expect((await engine.begin(request('key-1'))).kind).toBe('run')
    expect(refusal(await engine.begin(request('key-2')))).toEqual(unavailable)
    expect(refusal(await engine.begin(request('key-1')))[0]).toBe(409)
  })

  test('when a crash is to be taken over', async () => {
    const { engine, told, claimAsked } = setUp({ onCrash: () => 'retry' })
    const decision = engine.begin(request())
    ;(await claimAsked(1)).answer({ kind: 'expired', fence: 1 })
    ;(await claimAsked(2)).fail(broken)
    expect(refusal(await decision)).toEqual(unavailable)
    expect(told).toEqual([['store-error', { operation: 'claim', key: hex64, error: broken }]])
  })
})

describe('a store that hangs', () => {
  test('is waited for until its deadline and not longer', async () => {
    const { engine, told, claimAsked } = setUp({ storeDeadline: '200ms' })
    const decided = vi.fn()
    const decision = engine.begin(request())
    void decision.then(decided)
    await claimAsked()
    await vi.advanceTimersByTimeAsync(199)
    expect(decided).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(decided).toHaveBeenCalledTimes(1)
    expect(refusal(await decision)).toEqual(unavailable)
    expect(told).toEqual([['store-error', { operation: 'claim', key: hex64, error: timeout }]])
  })

  test('where it was said to proceed: the handler runs at the deadline', async () => {
    const { engine, claimAsked } = setUp({ onStoreError: 'proceed' })
    const decision = engine.begin(request())
    await claimAsked()
    await vi.advanceTimersByTimeAsync(500)
    expect(await decision).toEqual({ kind: 'pass' })
  })

  test('just within its deadline is no error', async () => {
    const { engine, store, told, claimAsked } = setUp()
    const decision = engine.begin(request())
    const claim = await claimAsked()
    await vi.advanceTimersByTimeAsync(499)
    claim.answer(claimed(1))
    expect((await decision).kind).toBe('run')
    expect(told).toEqual([['claimed', { key: hex64, fence: 1, took: 499 }]])
    expect(store.release).not.toHaveBeenCalled()
  })
})

describe('a claim that succeeds too late', () => {
  async function late(result: ClaimResult, release?: IdempotencyStore['release']) {
    const under = setUp({}, release === undefined ? {} : { release })
    const decision = under.engine.begin(request())
    const claim = await under.claimAsked()
    await vi.advanceTimersByTimeAsync(500)
    expect(refusal(await decision)).toEqual(unavailable)
    expect(under.store.release).not.toHaveBeenCalled()
    claim.answer(result)
    await vi.advanceTimersByTimeAsync(0)
    return under
  }

  test('is given back at once, since it has no handler', async () => {
    const { store, told } = await late(claimed(1))
    const asked = store.claim.mock.calls[0]?.[0]
    expect(store.release.mock.calls).toEqual([[{ key: asked?.key, owner: asked?.owner, fence: 1 }]])
    expect(told).toHaveLength(1)
    await vi.advanceTimersByTimeAsync(100_000)
    expect(store.renew).not.toHaveBeenCalled()
  })

  test('is not given back where it took over: releasing would forget the fingerprint of a run that may have had effects', async () => {
    const { store } = await late(claimed(2))
    await vi.advanceTimersByTimeAsync(100_000)
    expect(store.release).not.toHaveBeenCalled()
    expect(store.renew).not.toHaveBeenCalled()
  })

  test.each<ClaimResult>([
    { kind: 'pending', leaseLeft: 5 as Duration },
    { kind: 'mismatch' },
    { kind: 'expired', fence: 1 },
    { kind: 'done', response: { status: 200, fields: [], body: null, requestId: undefined } },
  ])('is not: $kind has nothing to give back', async (result) => {
    const { store, told } = await late(result)
    expect(store.release).not.toHaveBeenCalled()
    expect(told).toHaveLength(1)
  })

  test('an error that comes too late is told no second time', async () => {
    const { engine, told, claimAsked } = setUp()
    const decision = engine.begin(request())
    const claim = await claimAsked()
    await vi.advanceTimersByTimeAsync(500)
    await decision
    claim.fail(broken)
    await vi.advanceTimersByTimeAsync(1_000)
    expect(told).toEqual([['store-error', { operation: 'claim', key: hex64, error: timeout }]])
  })

  test.each<[string, IdempotencyStore['release'], Error]>([
    ['fails', () => Promise.reject(broken), broken],
    ['throws at once', () => { throw broken }, broken],
    ['hangs', () => new Promise<boolean>(() => {}), timeout],
  ])('and whose release %s is told, with no unhandled rejection', async (_how, release, error) => {
    const { told } = await late(claimed(1), release)
    await vi.advanceTimersByTimeAsync(500)
    expect(told.slice(1)).toEqual([['store-error', { operation: 'release', key: hex64, error }]])
  })
})
