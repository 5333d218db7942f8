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
import { refusal, storeUnavailable } from './refusals.js'
import { replayOf } from './replay.js'
import { scopedKey } from './scope.js'
import type { ClaimRequest, ClaimResult } from './store.js'
import { stopwatch } from './stopwatch.js'
import { storeErrors, type StoreErrors } from './store-errors.js'
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
  const { store, storeDeadline, onCrash } = settings
  const events = new Events<IdempotencyEvents>()

  async function begin(incoming: Incoming<Native>): Promise<Decision> {
    if (!settings.methods.has(incoming.method)) return { kind: 'pass' }
    const reading = readKey(incoming.field(settings.header))
    if (reading.kind === 'invalid') return reply(refusal('key-invalid', reading.detail))
    if (reading.kind === 'absent') return settings.required ? reply(refusal('key-missing', settings.header)) : { kind: 'pass' }

    // There is no such function where the scope is global, and only then.
    const principal = await settings.principal?.(incoming.native)
    if (settings.principal !== undefined && (typeof principal !== 'string' || principal === '')) return reply(refusal('principal-missing'))

    const body = await incoming.body(settings.maxRequestBytes)
    if (body === 'too-large') return reply(refusal('body-too-large', settings.maxRequestBytes))

    const [key, print] = await Promise.all([
      scopedKey(principal, incoming.method, incoming.route, reading.key),
      settings.fingerprint === undefined ? fingerprint(incoming, body) : digest(['own', await settings.fingerprint(incoming, body)]),
    ])
    return claimAndDecide(key, print, incoming.requestId)
  }

  async function claimAndDecide(key: string, print: string, requestId: string | undefined): Promise<Decision> {
    const took = stopwatch()
    const failed = storeErrors(events, key)
    const request: ClaimRequest = {
      key,
      owner: crypto.randomUUID(),
      fingerprint: print,
      lease: settings.lease,
      retention: settings.retention,
      expired: onCrash === 'retry' ? 'take' : 'report',
    }
    let result = await claim(request, failed)
    if (result.kind === 'pending' && settings.onConflict === 'wait') {
      result = await waitForResult({ store, key, limit: settings.waitAtMost, storeDeadline, again: () => claim(request, failed), unwatched: failed('watch') })
      const { kind } = result
      if (kind !== 'failed') events.emit('waited', () => ({ key, result: kind, took: took() }))
    }
    if (result.kind === 'expired' && typeof onCrash === 'function' && (await onCrash({ attempts: result.fence })) === 'retry') {
      result = await claim({ ...request, expired: result.fence }, failed)
    }

    switch (result.kind) {
      case 'failed':
        return settings.onStoreError === 'proceed' ? { kind: 'pass' } : reply(storeUnavailable())
      case 'claimed': {
        const { fence, phases, transaction } = result
        events.emit(fence === 1 ? 'claimed' : 'taken-over', () => ({ key, fence, took: took() }))
        sweepNowAndThen(store, failed('sweep'))
        return { kind: 'run', ticket: openTicket({ settings, events, request, fence, requestId, phases, transaction }) }
      }
      case 'done': {
        let { response } = result
        try {
          if (settings.seal !== undefined) response = await settings.seal.open(key, response)
        } catch (error) {
          failed('open')(error)
          return reply(storeUnavailable())
        }
        events.emit('replayed', () => ({ key, status: response.status, bodyKept: response.body !== null, took: took() }))
        return reply(replayOf(response))
      }
      case 'pending': {
        const { leaseLeft } = result
        events.emit('conflict', () => ({ key, leaseLeft, took: took() }))
        return reply(refusal('key-in-progress', '', leaseLeft))
      }
      case 'expired': {
        const { fence } = result
        events.emit('outcome-unknown', () => ({ key, fence, took: took() }))
        return reply(refusal('outcome-unknown'))
      }
      case 'mismatch':
        events.emit('mismatch', () => ({ key, took: took() }))
        return reply(refusal('key-reused'))
    }
  }

  /**
   * One claim within the deadline. A claim that succeeds too late has no handler: a fresh one is given back at once. One
   * that took over is not, since releasing forgets the fingerprint of a run that may have had effects; its lease ends.
   */
  async function claim(request: ClaimRequest, failed: StoreErrors): Promise<ClaimResult | { readonly kind: 'failed' }> {
    const limit = (storeDeadline + (store.transactional?.waitsAtMost ?? 0)) as Duration
    try {
      return await withDeadline(() => store.claim(request), limit, (late) => {
        if (late.kind !== 'claimed' || (late.fence > 1 && store.transactional === undefined)) return
        const { key, owner } = request
        withDeadline(() => store.release({ key, owner, fence: late.fence }), storeDeadline).catch(failed('release'))
      })
    } catch (error) {
      failed('claim')(error)
      return { kind: 'failed' }
    }
  }

  return { begin, on: events.on.bind(events) }
}

function reply(response: PlainResponse): Decision {
  return { kind: 'reply', response }
}
