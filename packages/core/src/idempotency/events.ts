import type { Duration } from '../duration.js'

/** What each event of the engine tells. `key` is the scoped key (a digest), never what the client sent. */
export interface IdempotencyEvents {
  /** A handler is about to run for the first time. */
  readonly claimed: { readonly key: string; readonly fence: number; readonly took: Duration }
  /** A handler is about to run again: its first owner's lease had run out, or it had released the key. */
  readonly 'taken-over': { readonly key: string; readonly fence: number; readonly took: Duration }
  /** A stored response was given. */
  readonly replayed: { readonly key: string; readonly status: number; readonly bodyKept: boolean; readonly took: Duration }
  /** Refused with 409: the first request is still running. */
  readonly conflict: { readonly key: string; readonly leaseLeft: Duration; readonly took: Duration }
  /** A retry waited for the first request; `result` is what it came to. */
  readonly waited: { readonly key: string; readonly result: 'done' | 'claimed' | 'pending' | 'expired' | 'mismatch'; readonly took: Duration }
  /** Refused with 422: the key belongs to another request. */
  readonly mismatch: { readonly key: string; readonly took: Duration }
  /** Refused with 409: the first owner vanished, and `onCrash` says not to run again. */
  readonly 'outcome-unknown': { readonly key: string; readonly fence: number; readonly took: Duration }
  /** A result was stored; `ran` is the time from claim to result. */
  readonly completed: { readonly key: string; readonly fence: number; readonly status: number; readonly bodyKept: boolean; readonly ran: Duration }
  /** The key was given back, since nothing happened. */
  readonly released: { readonly key: string; readonly fence: number; readonly status: number; readonly ran: Duration }
  /** A result came from an owner that had lost the key to another one; it was neither stored nor sent. */
  readonly 'stale-complete': { readonly key: string; readonly fence: number; readonly ran: Duration }
  /** A lease could not be renewed, since somebody else holds the key or it is gone. The handler goes on, unprotected. */
  readonly 'lease-lost': { readonly key: string; readonly fence: number }
  /** The handler has run for `maxRun` without a result; its lease is renewed no more, or its transaction is rolled back. */
  readonly 'run-too-long': { readonly key: string; readonly fence: number }
  /** A handler answered with a stream that has no end; its key was given back, and the client got a 500 that says so. */
  readonly unprotectable: { readonly key: string; readonly fence: number; readonly contentType: string }
  /** A store operation failed or took longer than `storeDeadline`. The first one of the process that nobody listens to is said on `console.error`. */
  readonly 'store-error': { readonly operation: 'claim' | 'complete' | 'renew' | 'save-phase' | 'release' | 'sweep' | 'watch' | 'open'; readonly key: string; readonly error: unknown }
}
