import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Duration } from '../duration.js'
import { runInContext } from '../request-id/context.js'
import { NoEffectError } from './no-effect-error.js'
import type { IdempotencyStore } from './store.js'
import { bench, created, incoming } from './testing/engine-bench.js'

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A store that says that it is transactional, and what it was asked. */
function transactional(asked: string[], fails?: 'complete') {
  return (store: IdempotencyStore): IdempotencyStore => ({
    ...store,
    transactional: { waitsAtMost: 1_000 as Duration },
    claim: async (request) => {
      const result = await store.claim(request)
      return result.kind === 'claimed' ? { ...result, transaction: 'the transaction' } : result
    },
    complete: (...args) => {
      asked.push('complete')
      return fails === 'complete' ? Promise.reject(new Error('the commit failed')) : store.complete(...args)
    },
    release: (...args) => {
      asked.push('release')
      return store.release(...args)
    },
    renew: (...args) => {
      asked.push('renew')
      return store.renew(...args)
    },
  })
}

describe('a transactional store', () => {
  test('hands its transaction to the run, and needs no renewal', async () => {
    const asked: string[] = []
    const { run } = bench({}, transactional(asked))
    const ticket = await run()
    expect(ticket.transaction).toBe('the transaction')
    await vi.advanceTimersByTimeAsync(120_000)
    await ticket.settle(created)
    expect(asked).toEqual(['complete'])
  })

  test('a 5xx rolls back and gives the key back', async () => {
    const asked: string[] = []
    const { run, names } = bench({}, transactional(asked))
    expect(await (await run()).settle({ ...created, status: 500 })).toEqual({ kind: 'send' })
    expect([asked, names()]).toEqual([['release'], ['claimed', 'released']])
    expect((await run()).fence).toBe(2)
  })

  test('a commit that fails took the effects back: the client is told to come again', async () => {
    const { run } = bench({}, transactional([], 'complete'))
    expect(await (await run()).settle(created)).toMatchObject({ kind: 'replace', response: { status: 503 } })
  })

  test('a response that cannot even be sealed leaves no transaction open', async () => {
    const asked: string[] = []
    const seal = { seal: () => Promise.reject(new Error('no such key')), open: () => Promise.reject(new Error('no such key')) }
    const { run } = bench({ seal }, transactional(asked))
    expect(await (await run()).settle(created)).toMatchObject({ kind: 'replace', response: { status: 503 } })
    expect(asked).toEqual(['release'])
  })

  test('a handler that gives up, or takes too long, is rolled back', async () => {
    const asked: string[] = []
    const { run, names } = bench({ maxRun: '10s' }, transactional(asked))
    ;(await run()).abandon()
    expect(asked).toEqual(['release'])
    await run()
    await vi.advanceTimersByTimeAsync(10_000)
    expect(asked).toEqual(['release', 'release'])
    expect(names()).toContain('run-too-long')
  })

  test('a claim may wait for as long as the store says', async () => {
    let asked = (): void => {}
    const claimAsked = new Promise<void>((resolve) => {
      asked = resolve
    })
    const { engine } = bench({ storeDeadline: 500 }, (store) => ({
      ...transactional([])(store),
      claim: () => {
        asked()
        return new Promise(() => {})
      },
    }))
    let status = 0
    void engine.begin(incoming()).then((decision) => {
      status = decision.kind === 'reply' ? decision.response.status : -1
    })
    await claimAsked
    await vi.advanceTimersByTimeAsync(1_499)
    expect(status).toBe(0)
    await vi.advanceTimersByTimeAsync(1)
    expect(status).toBe(503)
  })
})

describe('a handler that says that nothing happened', () => {
  test('NoEffectError gives the key of its own run back', async () => {
    const { run, names } = bench()
    const ticket = await run()
    runInContext({ run: ticket }, () => new NoEffectError('the card was not charged'))
    await ticket.settle({ ...created, status: 500 })
    expect(names()).toEqual(['claimed', 'released'])
  })

  test('outside of a run it is an error like any other', () => {
    expect(new NoEffectError()).toMatchObject({ name: 'NoEffectError', message: 'nothing happened' })
  })
})

describe('admit', () => {
  test('refuses an event stream, gives the key back, and says so', async () => {
    const { run, names } = bench()
    const ticket = await run()
    expect(ticket.admit([['Content-Type', 'text/event-stream; charset=utf-8']])).toMatchObject({ status: 500 })
    await ticket.settle({ ...created, status: 500 })
    expect(names()).toEqual(['claimed', 'unprotectable', 'released'])
  })

  test('lets everything else through', async () => {
    const ticket = await bench().run()
    expect(ticket.admit([['content-type', 'text/event-streams'], ['x', 'text/event-stream']])).toBeUndefined()
    expect(ticket.admit([])).toBeUndefined()
  })
})

describe('sweeping', () => {
  test('happens with the first claim on a store, and then at most once a minute', async () => {
    const sweep = vi.fn(async () => 0)
    const { run } = bench({}, (store) => ({ ...store, sweep }))
    await run(incoming({ key: 'a' }))
    await run(incoming({ key: 'b' }))
    expect(sweep.mock.calls).toEqual([[1_000]])
    await vi.advanceTimersByTimeAsync(60_000)
    await run(incoming({ key: 'c' }))
    expect(sweep).toHaveBeenCalledTimes(2)
  })

  test('goes on with the next claim as long as there is a whole batch to remove', async () => {
    const removed = [1_000, 1_000, 999]
    const sweep = vi.fn(async () => removed.shift() ?? 0)
    const { run } = bench({}, (store) => ({ ...store, sweep }))
    for (const key of ['a', 'b', 'c', 'd', 'e']) await run(incoming({ key }))
    expect(sweep).toHaveBeenCalledTimes(3)
  })

  test('a sweep that throws is told, and harms nobody', async () => {
    const { run, told } = bench({}, (store) => ({
      ...store,
      sweep: () => {
        throw new Error('away')
      },
    }))
    await run()
    await vi.advanceTimersByTimeAsync(0)
    expect(told.at(-1)).toMatchObject({ name: 'store-error', event: { operation: 'sweep' } })
  })
})
