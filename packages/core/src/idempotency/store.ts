import type { Duration } from '../duration.js'
import type { Fields } from '../http.js'

/** A finished response as it is kept. `body` is `null` where it was larger than the limit and only the fact is kept. */
export interface StoredResponse {
  readonly status: number
  readonly fields: Fields
  readonly body: Uint8Array | null
  /** The id of the request that made it. */
  readonly requestId: string | undefined
}

/** Who holds a pending key: `owner` is a UUID, new for each claim, `fence` grows with each claim of the same key. */
export interface Claim {
  /** The scoped key: 64 hexadecimal characters, so that no store needs to escape anything. */
  readonly key: string
  readonly owner: string
  readonly fence: number
}

/** What a claim asks for. */
export interface ClaimRequest {
  readonly key: string
  readonly owner: string
  readonly fingerprint: string
  /** How long the claim holds unless renewed. */
  readonly lease: Duration
  /** How long the record is kept from now on. It is kept for its lease in any case, also where a renewal makes that longer. */
  readonly retention: Duration
  /**
   * What to do with a pending record whose lease has run out: `'take'` takes it over with `fence + 1`, `'report'` only
   * says so, a number takes it over if its fence is still that one.
   */
  readonly expired: 'take' | 'report' | number
}

/** The finished phases of a run by name, each with its value as JSON text. */
export type SavedPhases = Readonly<Record<string, string>>

/** What came of a claim. */
export type ClaimResult =
  /**
   * The key was free, released, gone, or its lease had run out and was taken: `fence` is 1 for a fresh key. `phases` are
   * what the run before had saved, where it was taken. `transaction` is what a transactional store opened.
   */
  | { readonly kind: 'claimed'; readonly fence: number; readonly phases?: SavedPhases; readonly transaction?: unknown }
  /** The first request is done. */
  | { readonly kind: 'done'; readonly response: StoredResponse }
  /** Somebody holds the key for `leaseLeft` more milliseconds. */
  | { readonly kind: 'pending'; readonly leaseLeft: Duration }
  /** The lease of the claim with this fence has run out, and `expired` did not allow to take it. */
  | { readonly kind: 'expired'; readonly fence: number }
  /** The key belongs to a request with another fingerprint; decided before everything else. */
  | { readonly kind: 'mismatch' }

/**
 * Where keys live. Every operation is one atomic step, decided by the store's own clock, and one round trip.
 * `complete`, `renew`, `savePhase` and `release` give false where the claim is no longer the holder (its lease ran out *and*
 * somebody took it over, or the record's retention is over), and then change nothing. A claim whose lease has run out
 * but that nobody took may still complete, renew and release.
 */
export interface IdempotencyStore {
  claim(request: ClaimRequest): Promise<ClaimResult>
  /** Pending → done, kept for `retention` from now on. */
  complete(claim: Claim, response: StoredResponse, retention: Duration): Promise<boolean>
  /** The lease holds for `lease` from now on. */
  renew(claim: Claim, lease: Duration): Promise<boolean>
  /** Nothing happened: pending → released. The next claim is as good as the first, for any fingerprint, with `fence + 1`. */
  release(claim: Claim): Promise<boolean>
  /**
   * Keeps a finished phase of a pending run, so that the run that takes the key over may skip it. A name that is there
   * already is overwritten. Phases go when the key is done or released. False as for `complete`.
   */
  savePhase(claim: Claim, name: string, value: string): Promise<boolean>
  /** Removes at most `limit` records whose retention is over; gives how many. Correctness never depends on it. */
  sweep(limit: number): Promise<number>
  /**
   * Calls `wake` whenever the key may have become done or released, from the moment at which this resolves until the
   * function that it gives is called. A hint: it may come too often, and whoever waits polls as well. Absent where the
   * store has no notifications.
   */
  watch?(key: string, wake: () => void): Promise<() => void>
  /**
   * Present where a claim opens a database transaction in which the handler's effects and the result commit together:
   * `complete` commits, `release` rolls back, a crash leaves nothing, and there is no lease to renew. A claim may wait
   * for another transaction with the same key for as long as `waitsAtMost`.
   */
  readonly transactional?: { readonly waitsAtMost: Duration }
}
