import type { Duration } from '../duration.js'
import type { Events } from '../events.js'
import type { Fields, PlainResponse } from '../http.js'
import { withDeadline } from './deadline.js'
import type { IdempotencyEvents } from './events.js'
import { keepLease } from './lease.js'
import type { IdempotencySettings } from './options.js'
import { refusals } from './refusals.js'
import { storableFields } from './replay.js'
import type { Claim } from './store.js'

/** A response as the handler made it. `body` is `null` where it was larger than `captureLimit`. */
export interface Outgoing {
  readonly status: number
  readonly fields: Fields
  readonly body: Uint8Array | null
}

/** What becomes of a handler's response: it is sent, or another one takes its place (the owner had lost the key). */
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
  /** Says that the handler had no effect: its response is sent, not stored, and the key is free again. */
  release(): void
  /**
   * Says that there will be no result: the handler gave up without one. Its lease is renewed no more, and what its
   * end means is up to `onCrash`, as after a crash. Without effect once settled.
   */
  abandon(): void
  /**
   * Stores the response; to be awaited before the last byte of it leaves. A second call gives the first one's result.
   * Never rejects: where the store fails, the response is sent all the same, the key stays pending for its lease, and
   * a `store-error` event says so.
   */
  settle(outgoing: Outgoing): Promise<Settled>
}

/** 408, 425 and 429 say that the request was not processed: the key is free again. Everything else is a result. */
const withoutEffect = new Set([408, 425, 429])

/** What a ticket is made of. */
export interface TicketParts {
  readonly settings: IdempotencySettings<never>
  readonly events: Events<IdempotencyEvents>
  readonly claim: Claim
  readonly requestId: string | undefined
}

/** Opens a ticket for a claim that was just made, and starts to renew its lease. */
export function openTicket({ settings, events, claim, requestId }: TicketParts): Ticket {
  const { store, storeDeadline } = settings
  const { key, fence } = claim
  const startedAt = performance.now()
  const ran = (): Duration => Math.round(performance.now() - startedAt) as Duration
  let released = false
  let settled: Promise<Settled> | undefined

  const stopRenewing = keepLease({
    store,
    claim,
    lease: settings.lease,
    maxRun: settings.maxRun,
    storeDeadline,
    lost: () => {
      // While settling, the renewal may have met the settled record; a key that is really lost is told by stale-complete.
      if (settled === undefined) events.emit('lease-lost', () => ({ key, fence }))
    },
    tooLong: () => events.emit('run-too-long', () => ({ key, fence })),
    failed: (error) => events.emit('store-error', () => ({ operation: 'renew', key, error })),
  })

  async function settle(outgoing: Outgoing): Promise<Settled> {
    const free = released || withoutEffect.has(outgoing.status)
    const operation = free ? 'release' : 'complete'
    try {
      const held = await withDeadline(() => (free ? store.release(claim) : store.complete(claim, stored(outgoing), settings.retention)), storeDeadline)
      if (!held) {
        events.emit('stale-complete', () => ({ key, fence, ran: ran() }))
        // Two answers to one key must not both be believed: the winner's is the one to ask for.
        return { kind: 'replace', response: refusals.inProgress(1_000 as Duration) }
      }
      if (free) events.emit('released', () => ({ key, fence, status: outgoing.status, ran: ran() }))
      else events.emit('completed', () => ({ key, fence, status: outgoing.status, bodyKept: outgoing.body !== null, ran: ran() }))
    } catch (error) {
      events.emit('store-error', () => ({ operation, key, error }))
    } finally {
      stopRenewing()
    }
    return { kind: 'send' }
  }

  const stored = ({ status, fields, body }: Outgoing) => ({ status, fields: storableFields(fields, settings.neverReplay), body, requestId })

  return {
    key,
    fence,
    attempt: fence,
    captureLimit: settings.maxResponseBytes,
    release: () => {
      released = true
    },
    abandon: () => stopRenewing(),
    settle: (outgoing) => (settled ??= settle(outgoing)),
  }
}
