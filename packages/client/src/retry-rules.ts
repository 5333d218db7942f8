import type { Verdict } from './evidence.js'

/** What follows from a verdict: which requests may be sent again, and how. */
interface VerdictRule {
  /** `'repeatable'`: an idempotent method, or a request with an Idempotency-Key. */
  readonly requests: 'none' | 'repeatable' | 'any'
  /**
   * `'repair'`: at once, {@link mostRepairs} times, the last one on a fresh connection; after that by policy.
   * `'once'`: at once, one time. `'policy'`: after a delay, within attempts and budget.
   */
  readonly how: 'repair' | 'once' | 'policy'
}

/** The rule of each verdict. */
export type VerdictRules = Readonly<Record<Verdict, VerdictRule>>

/** How often a call is repaired, apart from what the policy allows. */
const mostRepairs = 2

/**
 * Who is sent again. A request that is not repeatable is sent again only where the server never had it: RFC 9110 9.2.2
 * forbids to guess. `refused` once: RFC 9113 8.7 asks for no more. `not-sent` by policy and not at once: whoever refuses a
 * connection does so again a millisecond later, and ten thousand callers must not triple what an outage costs.
 */
export const verdictRules: VerdictRules = {
  aborted: { requests: 'none', how: 'policy' },
  'response-started': { requests: 'none', how: 'policy' },
  refused: { requests: 'any', how: 'once' },
  'not-sent': { requests: 'any', how: 'policy' },
  'stale-reuse': { requests: 'repeatable', how: 'repair' },
  'fresh-loss': { requests: 'repeatable', how: 'policy' },
}

/** What a decision has to know of the request and of what was done for it already. */
export interface Repetition {
  /** An idempotent method, or a request with an Idempotency-Key. */
  readonly repeatable: boolean
  /** Whether the same bytes can be sent once more. */
  readonly replayable: boolean
  /** Repairs made so far. */
  readonly repairs: number
  /** How often the server has refused so far, this time not counted. */
  readonly refusals: number
}

/** What is to be done: nothing, at once (on a fresh connection where that is wanted), or as the policy has it. */
export type Remedy = { readonly kind: 'none' } | { readonly kind: 'repair'; readonly fresh: boolean } | { readonly kind: 'policy' }

const none: Remedy = { kind: 'none' }

/**
 * What is to be done about an attempt that failed.
 * @param permanent whether it would fail in the same way again, as with a certificate that is not trusted
 */
export function remedyOf(verdict: Verdict, permanent: boolean, { repeatable, replayable, repairs, refusals }: Repetition, rules: VerdictRules = verdictRules): Remedy {
  const { requests, how } = rules[verdict]
  if (permanent || !replayable || requests === 'none') return none
  if (requests === 'repeatable' && !repeatable) return none
  if (how === 'policy') return { kind: 'policy' }
  if (how === 'once') return refusals === 0 ? { kind: 'repair', fresh: false } : none
  return repairs < mostRepairs ? { kind: 'repair', fresh: repairs === mostRepairs - 1 } : { kind: 'policy' }
}

/** The statuses that are tried again: 408, 425, 429, 502, 503 and 504. A 500 is an answer: its handler has run. */
export const retryStatuses: readonly number[] = [408, 425, 429, 502, 503, 504]

/** The type of the 409 by which a Hopwise server says that the first request with this key is still running. */
const inProgressType = 'urn:hopwise:problem:key-in-progress'

/**
 * Whether a response is one to be tried again, as far as its request may be. A status does not say that nothing was done,
 * so the request has to be repeatable, whatever the status.
 * @param problemType the `type` of a 409 that is a problem document
 */
export function isRetryResponse(
  status: number,
  problemType: string | undefined,
  { repeatable, replayable }: Pick<Repetition, 'repeatable' | 'replayable'>,
  statuses: readonly number[] = retryStatuses,
): boolean {
  if (!repeatable || !replayable) return false
  return statuses.includes(status) || (status === 409 && problemType === inProgressType)
}
