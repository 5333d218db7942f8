import { Events, type EventSource } from '../events.js'
import type { PlainResponse } from '../http.js'
import { begun } from './deadline.js'
import { digest } from './digest.js'
import type { IdempotencyEvents } from './events.js'
import { fingerprint } from './fingerprint.js'
import type { Incoming } from './incoming.js'
import { readKey } from './key.js'
import { openTicket } from './open-ticket.js'
import { readIdempotencyOptions, type IdempotencyOptions } from './options.js'
import { refusal } from './refusals.js'
import { replayOf } from './replay.js'
import { scopedKey } from './scope.js'
import type { ClaimRequest, ClaimResult } from './store.js'
import { stopwatch } from './stopwatch.js'
import { callsFor } from './key-calls.js'
import { sweepNowAndThen } from './sweeping.js'
import type { Ticket } from './ticket.js'
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
  const { store, onCrash, seal } = settings
  const events = new Events<IdempotencyEvents>()

  async function begin(incoming: Incoming<Native>): Promise<Decision> {
    if (!settings.methods.has(incoming.method)) return pass
    const values = incoming.field(settings.header)
    if (values.length === 0) return settings.required ? refuse('key-missing', `Send a unique ${settings.header}.`) : pass
    const sent = readKey(values)
    if (!sent) return refuse('key-invalid')

    // There is no such function where the scope is global, and only then.
    const principal = await settings.principal?.(incoming.native)
    if (settings.principal && (typeof principal !== 'string' || !principal)) return refuse('principal-missing')

    const body = await incoming.body(settings.maxRequestBytes)
    if (body === 'too-large') return refuse('body-too-large', `Send at most ${settings.maxRequestBytes} bytes.`)

    const [key, print] = await Promise.all([
      scopedKey(settings.scope, principal, incoming.method, incoming.route, sent),
      settings.fingerprint ? digest(['own', await settings.fingerprint(incoming, body)]) : fingerprint(incoming, body),
    ])

    const took = stopwatch()
    const calls = callsFor(key, settings, events)
    const { tell, failed, within } = calls
    const owner = crypto.randomUUID()
    const request: ClaimRequest = { key, owner, fingerprint: print, lease: settings.lease, retention: settings.retention, expired: onCrash === 'retry' ? 'take' : 'report' }
    /**
     * One claim within the deadline; `undefined` where it failed. A claim that succeeds too late has no handler: a fresh one
     * is given back at once. One that took over is not, since releasing forgets the fingerprint of a run that may have had
     * effects; its lease ends.
     */
    const claim = (expired = request.expired): Promise<ClaimResult | undefined> =>
      within(() => store.claim({ ...request, expired }), (late) => {
        if (late.kind === 'claimed' && (late.fence === 1 || store.transactional)) void calls.release({ key, owner, fence: late.fence })
      }, store.transactional?.waitsAtMost).catch(failed('claim'))

    let result = await claim()
    if (result?.kind === 'pending' && settings.onConflict === 'wait') {
      result = await waitForResult(settings.waitAtMost, claim, (wake) =>
        within(async () => store.watch?.(key, wake), (stop) => stop?.()).catch(failed('watch')),
      )
      if (result) tell('waited', { result: result.kind, took: took() })
    }
    if (result?.kind === 'expired' && typeof onCrash === 'function' && (await onCrash({ attempts: result.fence })) === 'retry') {
      result = await claim(result.fence)
    }

    switch (result?.kind) {
      case undefined:
        return settings.onStoreError === 'proceed' ? pass : refuse('store-unavailable')
      case 'claimed':
        tell(result.fence === 1 ? 'claimed' : 'taken-over', { fence: result.fence, took: took() })
        sweepNowAndThen(store, failed('sweep'))
        return { kind: 'run', ticket: openTicket(settings, calls, request, result, incoming.requestId) }
      case 'done': {
        const { response } = result
        const clear = seal ? await begun(() => seal.open(key, response)).catch(failed('open')) : response
        if (!clear) return refuse('store-unavailable')
        tell('replayed', { status: clear.status, bodyKept: clear.body !== null, took: took() })
        return { kind: 'reply', response: replayOf(clear) }
      }
      case 'pending':
        tell('conflict', { leaseLeft: result.leaseLeft, took: took() })
        return refuse('key-in-progress', undefined, result.leaseLeft)
      case 'expired':
        tell('outcome-unknown', { fence: result.fence, took: took() })
        return refuse('outcome-unknown')
      case 'mismatch':
        tell('mismatch', { took: took() })
        return refuse('key-reused')
    }
  }

  return { begin, on: events.on }
}

const pass: Decision = { kind: 'pass' }

function refuse(...about: Parameters<typeof refusal>): Decision {
  return { kind: 'reply', response: refusal(...about) }
}
