/** How the policy waits. All in milliseconds. */
export interface BackoffRules {
  readonly baseDelay: number
  readonly maxDelay: number
  /** A longer Retry-After is not waited for. */
  readonly maxRetryAfter: number
}

/**
 * How long to wait before the next attempt, or `undefined` where waiting makes no sense and the caller gets what there is.
 *
 * Without Retry-After: full jitter, evenly from 0 to `baseDelay * 2^retries`, at most `maxDelay`. With it: never earlier than it
 * says, and the same jitter on top, so that all who were told the same second do not come in the same millisecond.
 * @param retries how often the policy has sent this call again
 * @param retryAfter what the response asks for, in milliseconds
 * @param remaining what is left of the deadline; `Infinity` without one
 * @param random from 0 to below 1
 */
export function backoffDelay(retries: number, retryAfter: number | undefined, remaining: number, random: number, rules: BackoffRules): number | undefined {
  const jitter = random * Math.min(rules.maxDelay, rules.baseDelay * 2 ** Math.min(retries, 30))
  if (retryAfter === undefined) return jitter < remaining ? jitter : undefined
  if (retryAfter > rules.maxRetryAfter || retryAfter >= remaining) return undefined
  return retryAfter + jitter < remaining ? retryAfter + jitter : retryAfter
}
