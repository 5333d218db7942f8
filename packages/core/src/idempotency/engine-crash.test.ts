import { describe, expect, test, vi } from 'vitest'
import { createIdempotency, type Decision } from './engine.js'
import type { Incoming } from './incoming.js'
import { memoryStore } from './memory-store.js'
import type { CrashVerdict, IdempotencyOptions } from './options.js'

type OnCrash = NonNullable<IdempotencyOptions<undefined>['onCrash']>

const hex64 = expect.stringMatching(/^[0-9a-f]{64}$/) as string
const someTime = expect.any(Number) as number
const created = { status: 201, fields: [], body: Uint8Array.of() }

function request(json = '{"amount":100}'): Incoming<undefined> {
  return {
    method: 'POST',
    target: '/orders',
    route: '/orders',
    field: (name) => (name === 'idempotency-key' ? ['key-1'] : []),
    body: async () => new TextEncoder().encode(json),
    requestId: undefined,
    native: undefined,
  }
}

/** An engine whose first run of the request has crashed, and whose lease is over. */
async function afterCrash(onCrash?: OnCrash) {
  const clock = { now: 0 }
  const memory = memoryStore({ now: () => clock.now })
  const store = { ...memory, claim: vi.fn(memory.claim) }
  const engine = createIdempotency<undefined>({ store, scope: 'global', ...(onCrash === undefined ? {} : { onCrash }) })
  const crashed = ticketOf(await engine.begin(request()))
  crashed.abandon()
  clock.now += 30_000
  store.claim.mockClear()
  const told: [string, unknown][] = []
  for (const name of ['claimed', 'taken-over', 'conflict', 'mismatch', 'outcome-unknown', 'stale-complete', 'store-error'] as const) {
    engine.on(name, (event) => told.push([name, event]))
  }
  const crashAgain = async () => {
    ticketOf(await engine.begin(request())).abandon()
    clock.now += 30_000
  }
  return { engine, store, clock, told, crashed, crashAgain }
}

function ticketOf(decision: Decision) {
  return decision.kind === 'run' ? decision.ticket : expect.fail(`the request is to ${decision.kind}`)
}

function refusal(decision: Decision) {
  if (decision.kind !== 'reply') return expect.fail(`the request is to ${decision.kind}`)
  const { type } = JSON.parse(new TextDecoder().decode(decision.response.body)) as { type: string }
  return [decision.response.status, type.replace('urn:hopwise:problem:', '')]
}

describe('onCrash: "retry", the default', () => {
  test('runs the handler again, by one round trip', async () => {
    const { engine, store, told } = await afterCrash()
    const ticket = ticketOf(await engine.begin(request()))
    expect(ticket).toMatchObject({ attempt: 2, fence: 2 })
    expect(store.claim).toHaveBeenCalledTimes(1)
    expect(told).toEqual([['taken-over', { key: hex64, fence: 2, took: someTime }]])
  })

  test('lets one of many retries run', async () => {
    const { engine } = await afterCrash()
    const decisions = await Promise.all(Array.from({ length: 20 }, () => engine.begin(request())))
    expect(decisions.filter(({ kind }) => kind === 'run')).toHaveLength(1)
  })

  test('the first owner, if it comes back to life, is neither stored nor sent', async () => {
    const { engine, crashed, told } = await afterCrash()
    const current = ticketOf(await engine.begin(request()))
    const settled = await crashed.settle({ ...created, status: 200 })
    expect(settled).toMatchObject({ kind: 'replace', response: { status: 409 } })
    expect(told.at(-1)).toEqual(['stale-complete', { key: hex64, fence: 1, ran: someTime }])
    expect(await current.settle(created)).toEqual({ kind: 'send' })
    expect(await engine.begin(request())).toMatchObject({ kind: 'reply', response: { status: 201 } })
  })
})

describe('onCrash: "reject"', () => {
  test('answers 409 with another code, as often as it is asked, and runs nothing', async () => {
    const { engine, store, told } = await afterCrash('reject')
    for (let retry = 0; retry < 3; retry++) expect(refusal(await engine.begin(request()))).toEqual([409, 'outcome-unknown'])
    expect(store.claim.mock.calls.map(([claim]) => claim.expired)).toEqual(['report', 'report', 'report'])
    expect(told[0]).toEqual(['outcome-unknown', { key: hex64, fence: 1, took: someTime }])
    expect(told).toHaveLength(3)
  })

  test('says nothing of when to come again, since waiting does not help', async () => {
    const { engine } = await afterCrash('reject')
    const decision = await engine.begin(request())
    expect(decision.kind === 'reply' && decision.response.fields.map(([name]) => name)).not.toContain('retry-after')
  })

  test('the owner that was only slow still stores its result', async () => {
    const { engine, crashed } = await afterCrash('reject')
    expect(refusal(await engine.begin(request()))).toEqual([409, 'outcome-unknown'])
    expect(await crashed.settle(created)).toEqual({ kind: 'send' })
    expect(await engine.begin(request())).toMatchObject({ kind: 'reply', response: { status: 201 } })
  })
})

describe('onCrash: a function', () => {
  test.each<[string, (verdict: CrashVerdict) => OnCrash]>([
    ['sync', (verdict) => () => verdict],
    ['async', (verdict) => async () => verdict],
  ])('%s, decides each time, and is told how often the request was begun', async (_kind, make) => {
    const attempts: number[] = []
    let verdict: CrashVerdict = 'reject'
    const { engine, store, crashAgain } = await afterCrash((crashed) => {
      attempts.push(crashed.attempts)
      return (make(verdict) as () => CrashVerdict)()
    })
    expect(refusal(await engine.begin(request()))).toEqual([409, 'outcome-unknown'])
    expect(store.claim).toHaveBeenCalledTimes(1)
    verdict = 'retry'
    await crashAgain()
    expect(ticketOf(await engine.begin(request()))).toMatchObject({ attempt: 3, fence: 3 })
    expect(attempts).toEqual([1, 1, 2])
    expect(store.claim.mock.calls.map(([claim]) => claim.expired)).toEqual(['report', 'report', 1, 'report', 2])
  })

  const lookUpFailed = new Error('the ledger is away')

  test.each<[string, OnCrash]>([
    ['at once', () => { throw lookUpFailed }],
    ['later', async () => { throw lookUpFailed }],
  ])('that throws %s: that comes out of begin, and nothing was taken', async (_when, onCrash) => {
    const { engine, store, told } = await afterCrash(onCrash)
    await expect(engine.begin(request())).rejects.toBe(lookUpFailed)
    expect(store.claim).toHaveBeenCalledTimes(1)
    expect(told).toEqual([])
    await expect(engine.begin(request())).rejects.toBe(lookUpFailed)
  })

  test.each([undefined, null, true, 'RETRY', { verdict: 'retry' }])('that gives %o instead of a verdict runs nothing', async (verdict) => {
    const { engine } = await afterCrash(() => verdict as CrashVerdict)
    expect(refusal(await engine.begin(request()))).toEqual([409, 'outcome-unknown'])
  })

  test('of two retries that both may run, one does', async () => {
    const { engine, told } = await afterCrash(async () => 'retry' as const)
    const decisions = await Promise.all([engine.begin(request()), engine.begin(request())])
    expect(decisions.map(({ kind }) => kind).toSorted()).toEqual(['reply', 'run'])
    expect(told.map(([name]) => name).toSorted()).toEqual(['conflict', 'taken-over'])
  })

  test('that was asked about one crash does not decide about the next', async () => {
    let crashMeanwhile = async (): Promise<void> => {}
    let asked = 0
    const { engine, told, crashAgain } = await afterCrash(async () => {
      if (++asked === 1) await crashMeanwhile()
      return 'retry' as const
    })
    crashMeanwhile = crashAgain
    expect(refusal(await engine.begin(request()))).toEqual([409, 'outcome-unknown'])
    expect(told.map(([name]) => name)).toEqual(['taken-over', 'outcome-unknown'])
    expect(ticketOf(await engine.begin(request()))).toMatchObject({ attempt: 3 })
  })
})

describe('another request with the key of one that crashed', () => {
  test.each<[string, OnCrash]>([['retry', 'retry'], ['reject', 'reject'], ['a function', vi.fn(() => 'retry' as const)]])('is refused with 422 by %s, and nobody is asked', async (_what, onCrash) => {
    const { engine, told } = await afterCrash(onCrash)
    expect(refusal(await engine.begin(request('{"amount":200}')))).toEqual([422, 'key-reused'])
    expect(told.map(([name]) => name)).toEqual(['mismatch'])
    if (typeof onCrash === 'function') expect(onCrash).not.toHaveBeenCalled()
  })
})
