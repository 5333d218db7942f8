import type { Fields, PlainResponse } from '../http.js'
import type { RunPhase } from './phases.js'

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
