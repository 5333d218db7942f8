import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { Events } from '../events.js'
import type { Fields } from '../http.js'
import type { IdempotencyEvents } from './events.js'
import { callsFor } from './key-calls.js'
import { openTicket } from './open-ticket.js'
import { readIdempotencyOptions, type IdempotencyOptions } from './options.js'
import type { Duration } from '../duration.js'
import type { ClaimRequest, ClaimResult, IdempotencyStore, StoredResponse } from './store.js'
import type { Outgoing } from './ticket.js'

const claim = { key: 'k'.repeat(64), owner: 'owner', fence: 3 }
const { key, fence } = claim
const request: ClaimRequest = { key, owner: claim.owner, fingerprint: 'f'.repeat(64), lease: 30_000 as Duration, retention: 86_400_000 as Duration, expired: 'take' }
const body = new TextEncoder().encode('{"id":7}')
const outgoing = (status: number, fields: Fields = []): Outgoing => ({ status, fields, body })
const told = ['completed', 'released', 'stale-complete', 'lease-lost', 'run-too-long', 'store-error'] as const

beforeEach(() => {
  vi.useFakeTimers()
  // No clock starts at nothing.
  vi.advanceTimersByTime(7_000)
})
afterEach(() => {
  vi.useRealTimers()
})

/** A ticket over a store that does what is said and else says yes, with what both were heard to do. */
function open(does: Partial<IdempotencyStore> = {}, options: Partial<IdempotencyOptions<never>> = {}) {
  const store = {
    claim: vi.fn(does.claim ?? (async (): Promise<ClaimResult> => ({ kind: 'pending', leaseLeft: 1_000 as Duration }))),
    sweep: () => Promise.reject(new Error('a ticket sweeps nothing')),
    savePhase: () => Promise.reject(new Error('no phase is saved here')),
    complete: vi.fn(does.complete ?? (async () => true)),
    renew: vi.fn(does.renew ?? (async () => true)),
    release: vi.fn(does.release ?? (async () => true)),
  }
  const events = new Events<IdempotencyEvents>()
  const heard: unknown[] = []
  for (const name of told) events.on(name, (event) => heard.push([name, event]))
  const settings = readIdempotencyOptions<never>({ store, scope: 'global', ...options })
  return { ticket: openTicket(settings, callsFor(key, settings, events), request, { kind: 'claimed', fence }, 'request-1'), store, heard }
}

const never = () => new Promise<boolean>(() => {})
const broken = new Error('the store is away')
const breaks = () => Promise.reject(broken)

describe('a ticket', () => {
  test('says what it is for', () => {
    expect(open({}, { maxResponseBytes: 99 }).ticket).toMatchObject({ key, fence: 3, attempt: 3, captureLimit: 99 })
  })
})

describe('settle', () => {
  test('stores the response with what a replay may carry, and tells it', async () => {
    const { ticket, store, heard } = open({}, { retention: '2h', neverReplay: ['X-Session'] })
    await vi.advanceTimersByTimeAsync(1_234)
    const fields: Fields = [['Content-Type', 'application/json'], ['Set-Cookie', 'sid=1'], ['x-session', 'a'], ['Link', '<a>'], ['link', '<b>']]
    expect(await ticket.settle(outgoing(201, fields))).toEqual({ kind: 'send' })
    const stored = { status: 201, fields: [['Content-Type', 'application/json'], ['Link', '<a>'], ['link', '<b>']], body, requestId: 'request-1' }
    expect(store.complete.mock.calls).toEqual([[claim, stored, 7_200_000]])
    expect(store.release).not.toHaveBeenCalled()
    expect(heard).toEqual([['completed', { key, fence, status: 201, bodyKept: true, ran: 1_234 }]])
  })

  test('a body that was too large to capture is stored as a marker, never as nothing', async () => {
    const { ticket, store, heard } = open()
    await ticket.settle({ status: 200, fields: [], body: null })
    expect(store.complete.mock.calls[0]?.[1]).toEqual({ status: 200, fields: [], body: null, requestId: 'request-1' })
    expect(heard).toEqual([['completed', { key, fence, status: 200, bodyKept: false, ran: 0 }]])
  })

  test.each([200, 201, 204, 206, 301, 303, 400, 401, 402, 403, 404, 409, 410, 422, 451, 500, 502, 503, 504, 599])('%i is a result and is stored', async (status) => {
    const { ticket, store } = open()
    expect(await ticket.settle(outgoing(status))).toEqual({ kind: 'send' })
    expect(store.complete).toHaveBeenCalledTimes(1)
    expect(store.release).not.toHaveBeenCalled()
  })

  test.each([408, 425, 429])('%i says that nothing happened: the key is given back', async (status) => {
    const { ticket, store, heard } = open()
    await vi.advanceTimersByTimeAsync(50)
    expect(await ticket.settle(outgoing(status))).toEqual({ kind: 'send' })
    expect(store.release.mock.calls).toEqual([[claim]])
    expect(store.complete).not.toHaveBeenCalled()
    expect(heard).toEqual([['released', { key, fence, status, ran: 50 }]])
  })

  test('a second call gives the first one\'s promise, whatever it is called with', async () => {
    const { ticket, store, heard } = open()
    const first = ticket.settle(outgoing(201))
    const second = ticket.settle(outgoing(500))
    expect(second).toBe(first)
    await first
    expect(ticket.settle(outgoing(429))).toBe(first)
    expect(store.complete).toHaveBeenCalledTimes(1)
    expect(store.release).not.toHaveBeenCalled()
    expect(heard).toHaveLength(1)
  })
})

describe('release', () => {
  test.each([200, 400, 500])('gives the key back where the handler says that a %i had no effect', async (status) => {
    const { ticket, store, heard } = open()
    ticket.release()
    ticket.release()
    expect(store.release).not.toHaveBeenCalled()
    expect(await ticket.settle(outgoing(status))).toEqual({ kind: 'send' })
    expect(store.release.mock.calls).toEqual([[claim]])
    expect(store.complete).not.toHaveBeenCalled()
    expect(heard).toEqual([['released', { key, fence, status, ran: 0 }]])
  })

  test('comes too late once the response is being stored', async () => {
    const { ticket, store } = open()
    const settled = ticket.settle(outgoing(201))
    ticket.release()
    await settled
    expect(store.complete).toHaveBeenCalledTimes(1)
    expect(store.release).not.toHaveBeenCalled()
  })
})

describe('an owner that had lost the key', () => {
  const lost = { complete: async () => false }
  const winners: StoredResponse = { status: 202, fields: [['x-winner', 'yes']], body: Uint8Array.of(1), requestId: 'request-2' }

  test('gets 409 while the other one runs', async () => {
    const { ticket, heard, store } = open(lost)
    await vi.advanceTimersByTimeAsync(700)
    const settled = await ticket.settle(outgoing(201))
    if (settled.kind !== 'replace') return expect.fail('the response of a stale owner was sent')
    expect(settled.response.status).toBe(409)
    expect(settled.response.fields).toContainEqual(['retry-after', '1'])
    expect(JSON.parse(new TextDecoder().decode(settled.response.body))).toMatchObject({ type: 'urn:hopwise:problem:key-in-progress' })
    expect(heard).toEqual([['stale-complete', { key, fence, ran: 700 }]])
    // To look, and not to take the key from whoever has it.
    expect(store.claim.mock.calls).toEqual([[{ ...request, expired: 'report' }]])
  })

  test('gets the other one\'s response where that is done', async () => {
    const { ticket, heard } = open({ ...lost, claim: async () => ({ kind: 'done', response: winners }) })
    expect(await ticket.settle(outgoing(201))).toMatchObject({ kind: 'replace', response: { status: 202, body: winners.body } })
    expect(heard).toEqual([['stale-complete', { key, fence, ran: 0 }]])
  })

  test('stores its result anew where the store has lost the record, and is not told to come again', async () => {
    const complete = vi.fn<IdempotencyStore['complete']>().mockResolvedValueOnce(false).mockResolvedValue(true)
    const { ticket, heard } = open({ complete, claim: async () => ({ kind: 'claimed', fence: 1 }) })
    expect(await ticket.settle(outgoing(201))).toEqual({ kind: 'send' })
    expect(complete.mock.calls.map(([held]) => held)).toEqual([claim, { ...claim, fence: 1 }])
    expect(heard).toEqual([['completed', { key, fence, status: 201, bodyKept: true, ran: 0 }]])
  })

  test('and that had no effect sends what it has: there is nothing to contradict', async () => {
    const { ticket, heard } = open({ release: async () => false })
    expect(await ticket.settle(outgoing(429))).toEqual({ kind: 'send' })
    expect(heard).toEqual([['stale-complete', { key, fence, ran: 0 }]])
  })
})

describe('a store that fails while settling', () => {
  test.each([[201, 'complete'], [429, 'release']] as const)('with %i: the response is sent all the same, and the failure told', async (status, operation) => {
    const { ticket, heard } = open({ [operation]: breaks })
    expect(await ticket.settle(outgoing(status))).toEqual({ kind: 'send' })
    expect(heard).toEqual([['store-error', { operation, key, error: broken }]])
  })

  test('by throwing at once is no different', async () => {
    const { ticket, heard } = open({
      complete: () => {
        throw broken
      },
    })
    expect(await ticket.settle(outgoing(201))).toEqual({ kind: 'send' })
    expect(heard).toEqual([['store-error', { operation: 'complete', key, error: broken }]])
  })

  test('by not answering holds the response for the store\'s deadline, and not longer', async () => {
    const { ticket, heard } = open({ complete: never }, { storeDeadline: '200ms' })
    const sent = vi.fn()
    void ticket.settle(outgoing(201)).then(sent)
    await vi.advanceTimersByTimeAsync(199)
    expect(sent).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(sent.mock.calls).toEqual([[{ kind: 'send' }]])
    expect(heard).toEqual([['store-error', { operation: 'complete', key, error: expect.objectContaining({ name: 'StoreTimeout' }) as Error }]])
  })

  test('is tried three times more, with the lease renewed meanwhile', async () => {
    const complete = vi.fn<IdempotencyStore['complete']>().mockRejectedValueOnce(broken).mockRejectedValueOnce(broken).mockResolvedValue(true)
    const { ticket, store, heard } = open({ complete }, { lease: '600ms' })
    expect(await ticket.settle(outgoing(201))).toEqual({ kind: 'send' })
    await vi.advanceTimersByTimeAsync(999)
    expect([complete.mock.calls.length, store.renew.mock.calls.length]).toEqual([2, 4])
    await vi.advanceTimersByTimeAsync(1)
    expect(heard.at(-1)).toEqual(['completed', { key, fence, status: 201, bodyKept: true, ran: 1_000 }])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('for good is told each time, and then left to the end of its lease', async () => {
    const { ticket, heard } = open({ complete: breaks })
    expect(await ticket.settle(outgoing(201))).toEqual({ kind: 'send' })
    await vi.advanceTimersByTimeAsync(100_000)
    expect(heard).toEqual(Array.from({ length: 4 }, () => ['store-error', { operation: 'complete', key, error: broken }]))
    expect(vi.getTimerCount()).toBe(0)
  })
})

describe('the lease', () => {
  test('is renewed at a third of it until the response is stored', async () => {
    const { ticket, store } = open({}, { lease: '9s' })
    await vi.advanceTimersByTimeAsync(9_000)
    expect(store.renew.mock.calls).toEqual(Array.from({ length: 3 }, () => [claim, 9_000]))
    await ticket.settle(outgoing(201))
    await vi.advanceTimersByTimeAsync(100_000)
    expect(store.renew).toHaveBeenCalledTimes(3)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('is renewed while a slow store takes the response', async () => {
    const { ticket, store } = open({ complete: never }, { lease: '300ms', storeDeadline: '1s' })
    const settled = ticket.settle(outgoing(201))
    await vi.advanceTimersByTimeAsync(950)
    expect(store.renew).toHaveBeenCalledTimes(9)
    await vi.advanceTimersByTimeAsync(50)
    await settled
    await vi.advanceTimersByTimeAsync(10_000)
    expect(vi.getTimerCount()).toBe(0)
  })

  test.each<[string, Partial<IdempotencyStore>, number]>([
    ['stored', {}, 201],
    ['given back', {}, 429],
    ['lost', { complete: async () => false }, 201],
    ['not to be given back', { release: breaks }, 429],
  ])('is renewed no more once the key is %s', async (_what, does, status) => {
    const { ticket, store } = open(does)
    await ticket.settle(outgoing(status))
    expect(vi.getTimerCount()).toBe(0)
    await vi.advanceTimersByTimeAsync(100_000)
    expect(store.renew).not.toHaveBeenCalled()
  })

  test('that was lost is told', async () => {
    const { heard } = open({ renew: async () => false })
    await vi.advanceTimersByTimeAsync(100_000)
    expect(heard).toEqual([['lease-lost', { key, fence }]])
  })

  test('is not told as lost by a renewal that met the record which settling had just made', async () => {
    let done = false
    const complete = (): Promise<boolean> => {
      done = true
      return new Promise((resolve) => setTimeout(() => resolve(true), 400))
    }
    const { ticket, heard } = open({ complete, renew: async () => !done }, { lease: '300ms' })
    const settled = ticket.settle(outgoing(201))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(await settled).toEqual({ kind: 'send' })
    expect(heard).toEqual([['completed', { key, fence, status: 201, bodyKept: true, ran: 400 }]])
  })

  test('that could not be renewed is told as a store error', async () => {
    const { heard } = open({ renew: breaks }, { maxRun: '20s' })
    await vi.advanceTimersByTimeAsync(20_000)
    expect(heard).toEqual(Array.from({ length: 2 }, () => ['store-error', { operation: 'renew', key, error: broken }]))
  })

  test('ends with maxRun, which is told', async () => {
    const { store, heard } = open({}, { maxRun: '30s' })
    await vi.advanceTimersByTimeAsync(100_000)
    expect(store.renew).toHaveBeenCalledTimes(3)
    expect(heard).toEqual([['run-too-long', { key, fence }]])
  })
})

describe('abandon', () => {
  test('lets the lease run out, and neither stores nor gives back anything', async () => {
    const { ticket, store, heard } = open()
    await vi.advanceTimersByTimeAsync(10_000)
    ticket.abandon()
    ticket.abandon()
    await vi.advanceTimersByTimeAsync(1_000_000)
    expect(store.renew).toHaveBeenCalledTimes(1)
    expect(store.complete).not.toHaveBeenCalled()
    expect(store.release).not.toHaveBeenCalled()
    expect(heard).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('after settling changes nothing', async () => {
    const { ticket, store } = open()
    await ticket.settle(outgoing(201))
    ticket.abandon()
    expect(await ticket.settle(outgoing(201))).toEqual({ kind: 'send' })
    expect(store.complete).toHaveBeenCalledTimes(1)
  })
})
