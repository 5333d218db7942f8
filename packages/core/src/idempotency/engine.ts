import type { Duration } from '../duration.js'
import { Events, type EventSource } from '../events.js'
import type { PlainResponse } from '../http.js'
import { withDeadline } from './deadline.js'
import { digest } from './digest.js'
import type { IdempotencyEvents } from './events.js'
import { fingerprint } from './fingerprint.js'
import type { Incoming } from './incoming.js'
import { readKey } from './key.js'
import { readIdempotencyOptions, type IdempotencyOptions } from './options.js'
import { refusals } from './refusals.js'
import { replayOf } from './replay.js'
import { scopedKey } from './scope.js'
import type { ClaimRequest, ClaimResult, StoredResponse } from './store.js'
import { sweepNowAndThen } from './sweeping.js'
import { openTicket, type Ticket } from './ticket.js'
import { waitForResult } from './wait.js'

/** What is to be done with a request: let it pass unprotected, answer it, or run its handler and settle the ticket. */
export type Decision =
  | { readonly kind: 'pass' }
  | { readonly kind: 'reply'; readonly response: PlainResponse }
  | { readonly kind: 'run'; readonly ticket: Ticket }

/** The idempotency engine for one set of options. */
export interface Idempotency<Native> extends EventSource<IdempotencyEvents> {
  /**
   * Decides what to do with a request. One store round trip.
   * @throws whatever `principal`, `onCrash` or reading the body throws; nothing is claimed then
   */
  begin(incoming: Incoming<Native>): Promise<Decision>
}

/**
 * Makes an engine. The order of the checks is fixed: key, caller, body size, then the store, which decides mismatch
 * (422) before in-progress (409).
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function createIdempotency<Native>(options: IdempotencyOptions<Native>): Idempotency<Native> {
  const settings = readIdempotencyOptions(options)
  const { store, storeDeadline } = settings
  const events = new Events<IdempotencyEvents>()

  async function begin(incoming: Incoming<Native>): Promise<Decision> {
    if (!settings.methods.has(incoming.method)) return { kind: 'pass' }
    const reading = readKey(incoming.field(settings.header))
    if (reading.kind === 'invalid') return reply(refusals.keyInvalid(reading.detail))
    if (reading.kind === 'absent') return settings.required ? reply(refusals.keyMissing(settings.header)) : { kind: 'pass' }

    const principal = settings.scope === 'global' ? undefined : await settings.principal?.(incoming.native)
    if (settings.scope === 'principal' && (typeof principal !== 'string' || principal === '')) return reply(refusals.principalMissing())

    const body = await incoming.body(settings.maxRequestBytes)
    if (body === 'too-large') return reply(refusals.bodyTooLarge(settings.maxRequestBytes))

    const [key, print] = await Promise.all([
      scopedKey(principal, incoming.method, incoming.route, reading.key),
      settings.fingerprint === undefined ? fingerprint(incoming, body) : digest(['own', await settings.fingerprint(incoming, body)]),
    ])
    return claimAndDecide(key, print, incoming.requestId)
  }

  async function claimAndDecide(key: string, print: string, requestId: string | undefined): Promise<Decision> {
    const startedAt = performance.now()
    const took = (): Duration => Math.round(performance.now() - startedAt) as Duration
    const request: ClaimRequest = {
      key,
      owner: crypto.randomUUID(),
      fingerprint: print,
      lease: settings.lease,
      retention: settings.retention,
      expired: settings.onCrash === 'retry' ? 'take' : 'report',
    }
    let result: ClaimResult
    try {
      result = await claim(request)
      if (result.kind === 'pending' && settings.onConflict === 'wait') {
        result = await waitForResult({ store, key, limit: settings.waitAtMost, storeDeadline, again: () => claim(request), unwatched: failed('watch', key) })
        const { kind } = result
        events.emit('waited', () => ({ key, result: kind, took: took() }))
      }
      if (result.kind === 'expired' && (await verdictOn(result.fence)) === 'retry') {
        result = await claim({ ...request, expired: result.fence })
      }
    } catch (error) {
      if (error instanceof CallbackError) throw error.cause
      failed('claim', key)(error)
      return settings.onStoreError === 'proceed' ? { kind: 'pass' } : reply(refusals.storeUnavailable())
    }

    switch (result.kind) {
      case 'claimed': {
        const { fence, phases, transaction } = result
        events.emit(fence === 1 ? 'claimed' : 'taken-over', () => ({ key, fence, took: took() }))
        sweepNowAndThen(store, failed('sweep', key))
        return { kind: 'run', ticket: openTicket({ settings, events, request, fence, requestId, phases, transaction }) }
      }
      case 'done': {
        const response = await opened(key, result.response)
        if (response === undefined) return reply(refusals.storeUnavailable())
        events.emit('replayed', () => ({ key, status: response.status, bodyKept: response.body !== null, took: took() }))
        return reply(replayOf(response))
      }
      case 'pending': {
        const { leaseLeft } = result
        events.emit('conflict', () => ({ key, leaseLeft, took: took() }))
        return reply(refusals.inProgress(leaseLeft))
      }
      case 'expired': {
        const { fence } = result
        events.emit('outcome-unknown', () => ({ key, fence, took: took() }))
        return reply(refusals.outcomeUnknown())
      }
      case 'mismatch':
        events.emit('mismatch', () => ({ key, took: took() }))
        return reply(refusals.keyReused())
    }
  }

  /** The stored response in clear, or `undefined` where it cannot be opened. */
  async function opened(key: string, response: StoredResponse): Promise<StoredResponse | undefined> {
    if (settings.seal === undefined) return response
    try {
      return await settings.seal.open(key, response)
    } catch (error) {
      failed('open', key)(error)
      return undefined
    }
  }

  /**
   * One claim within the deadline. A claim that succeeds too late has no handler: a fresh one is given back at once. One
   * that took over is not, since releasing forgets the fingerprint of a run that may have had effects; its lease ends.
   */
  function claim(request: ClaimRequest): Promise<ClaimResult> {
    const limit = (storeDeadline + (store.transactional?.waitsAtMost ?? 0)) as Duration
    return withDeadline(() => store.claim(request), limit, (late) => {
      if (late.kind !== 'claimed' || (late.fence > 1 && store.transactional === undefined)) return
      const { key, owner } = request
      withDeadline(() => store.release({ key, owner, fence: late.fence }), storeDeadline).catch(failed('release', key))
    })
  }

  /** Tells that a store operation failed. */
  const failed = (operation: IdempotencyEvents['store-error']['operation'], key: string) => (error: unknown) =>
    void events.emit('store-error', () => ({ operation, key, error }))

  async function verdictOn(fence: number) {
    if (typeof settings.onCrash !== 'function') return settings.onCrash
    try {
      return await settings.onCrash({ attempts: fence })
    } catch (error) {
      throw new CallbackError(error)
    }
  }

  return { begin, on: events.on.bind(events) }
}

/** Carries what the user's own callback threw past the handling of store errors. */
class CallbackError extends Error {
  constructor(cause: unknown) {
    super('onCrash threw', { cause })
  }
}

function reply(response: PlainResponse): Decision {
  return { kind: 'reply', response }
}
