import type { Events } from '../events.js'
import { fieldValues, type Fields, type PlainResponse } from '../http.js'
import { lightTimer, withDeadline } from './deadline.js'
import { digest } from './digest.js'
import type { IdempotencyEvents } from './events.js'
import { keepLease } from './lease.js'
import type { IdempotencySettings } from './options.js'
import { createPhases, type RunPhase } from './phases.js'
import { refusal } from './refusals.js'
import { createSettling } from './settling.js'
import type { Claim, ClaimRequest, SavedPhases } from './store.js'
import { stopwatch } from './stopwatch.js'
import { storeErrors } from './store-errors.js'

/** A response as the handler made it. `body` is `null` where it was larger than `captureLimit`. */
export interface Outgoing {
  readonly status: number
  readonly fields: Fields
  readonly body: Uint8Array | null
}

/** What becomes of a handler's response: it is sent, or another one takes its place. */
export type Settled = { readonly kind: 'send' } | { readonly kind: 'replace'; readonly response: PlainResponse }

/** The right and the duty of one handler run: made by a claim, ended by {@link Ticket.settle} or {@link Ticket.abandon}. */
export interface Ticket {
  /** The scoped key. */
  readonly key: string
  /** 1 for the first run; more where an earlier one crashed or gave the key back. */
  readonly attempt: number
  /** Grows with each run of the same key: hand it to what the handler writes to, so that a stale run can be told. */
  readonly fence: number
  /** How many bytes of the response's body are worth capturing. */
  readonly captureLimit: number
  /** What a transactional store opened for this run; its own package says how to use it. */
  readonly transaction: unknown
  /**
   * Runs a part of the handler that has an effect of its own, and saves its value (as JSON, at most 64 KiB): where a
   * run of the key crashed, the next one skips the phases that were finished and gets their values. Each name is
   * worked once a run. A crash between the effect and the saving repeats that one phase: give it `deriveKey`.
   * @throws whatever `work` throws; HopwiseError `phase-invalid`, and `lease-lost` where another run has the key by now
   */
  readonly phase: RunPhase
  /**
   * A key for the next service's own Idempotency-Key: 64 hexadecimal characters, the same in every run of this key, and
   * another one for each name.
   */
  deriveKey(name: string): Promise<string>
  /** Says that the handler had no effect: its response is sent, not stored, and the key is free again. */
  release(): void
  /**
   * To be called with the response's fields before the first of it is sent. Gives the answer that takes its place where
   * it cannot be protected: a `text/event-stream` has no end that could be stored. The key is given back then.
   */
  admit(fields: Fields): PlainResponse | undefined
  /**
   * Says that there will be no result: the handler gave up without one. Its lease is renewed no more, and what its
   * end means is up to `onCrash`, as after a crash; a transaction is rolled back. Without effect once settled.
   */
  abandon(): void
  /**
   * Stores the response; to be awaited before the last byte of it leaves. A second call gives the first one's result.
   * Never rejects: where the store fails, the response is sent all the same, a `store-error` event says so, storing is
   * tried three times more within some seconds, and else the key stays pending for its lease. (In a transactional store the effects are gone then, and 503 takes its place.)
   */
  settle(outgoing: Outgoing): Promise<Settled>
}

/** What a ticket is made of. */
export interface TicketParts {
  readonly settings: IdempotencySettings<never>
  readonly events: Events<IdempotencyEvents>
  /** What was asked of the store, and got this run its claim. */
  readonly request: ClaimRequest
  readonly fence: number
  readonly requestId: string | undefined
  readonly phases: SavedPhases | undefined
  readonly transaction: unknown
}

/** Opens a ticket for a claim that was just made, and starts to renew its lease. */
export function openTicket({ settings, events, request, fence, requestId, phases = {}, transaction }: TicketParts): Ticket {
  const { store, storeDeadline, maxRun, lease } = settings
  const { key, owner } = request
  const claim: Claim = { key, owner, fence }
  const transactional = store.transactional !== undefined
  const ran = stopwatch()
  const failed = storeErrors(events, key)
  let released = false
  let settled: Promise<Settled> | undefined

  const tooLong = () => void events.emit('run-too-long', () => ({ key, fence }))
  const giveUp = () => void withDeadline(() => store.release(claim), storeDeadline).catch(failed('release'))
  const rollBackLate = () => {
    tooLong()
    giveUp()
  }
  const lost = () => {
    // While settling, the renewal may have met the settled record; a key that is really lost is told by stale-complete.
    if (settled === undefined) events.emit('lease-lost', () => ({ key, fence }))
  }
  const stopRenewing = transactional
    ? lightTimer(rollBackLate, maxRun)
    : keepLease({ store, claim, lease, maxRun, storeDeadline, lost, tooLong, failed: failed('renew') })

  const settle = createSettling({ settings, events, request, claim, requestId, ran, failed, stopRenewing, giveUp })

  return {
    key,
    fence,
    attempt: fence,
    captureLimit: settings.maxResponseBytes,
    transaction,
    phase: createPhases({ store, claim, saved: phases, storeDeadline, failed: failed('save-phase') }),
    deriveKey: (name) => digest(['derived', key, name]),
    release: () => {
      released = true
    },
    admit: (fields) => {
      const [contentType = ''] = fieldValues(fields, 'content-type')
      if (!/^text\/event-stream\b/i.test(contentType)) return undefined
      released = true
      events.emit('unprotectable', () => ({ key, fence, contentType: 'text/event-stream' }))
      return refusal('endless-stream')
    },
    abandon: () => {
      stopRenewing()
      if (transactional && settled === undefined) giveUp()
    },
    settle: (outgoing) => (settled ??= settle(outgoing, released)),
  }
}
