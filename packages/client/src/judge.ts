import { backoffDelay, type BackoffRules } from './backoff.js'
import type { Budget } from './budget.js'
import { verdictOf, type Evidence, type Verdict } from './evidence.js'
import { isRetryResponse, remedyOf, type VerdictRules } from './retry-rules.js'

/** What the judge goes by. */
export interface JudgeSettings {
  readonly rules: VerdictRules
  /** Absent: nothing is sent again by policy, repairs only. */
  readonly policy?: BackoffRules & { readonly attempts: number; readonly statuses: readonly number[] }
  /** Absent: no limit but the attempts. */
  readonly budget?: Budget
  /** From 0 to below 1. */
  readonly random: () => number
}

/** What a judge knows of its call. */
export interface JudgedCall {
  readonly origin: string
  /** An idempotent method, or a request with an Idempotency-Key. */
  readonly repeatable: boolean
  /** Whether the same bytes can be sent once more. */
  readonly replayable: boolean
  /** Whether a body that cannot be is still whole, as long as nothing of it was sent. [no] */
  readonly isWhole?: () => boolean
}

/** What comes next: nothing, or another attempt. */
export type Next =
  /** `budgetSpent`: there would be another attempt, if there were a token for it. */
  | { readonly kind: 'done'; readonly budgetSpent: boolean }
  | { readonly kind: 'send'; readonly why: 'repair' | 'policy'; readonly delay: number; readonly fresh: boolean }

/** Judges the attempts of one call. It counts; the rules are in `retry-rules.ts`. */
export interface Judge {
  /** An attempt ended without a whole response header. `remaining` is what is left of the deadline, in milliseconds. */
  failed(evidence: Evidence, permanent: boolean, remaining: number): { readonly verdict: Verdict; readonly next: Next }
  /** A response came. `retryAfter` in milliseconds; `problemType` is that of a 409 which is a problem document. */
  answered(status: number, retryAfter: number | undefined, problemType: string | undefined, remaining: number): Next
  /** Whether `answered` would want to know the type of this response's problem document. */
  asksForProblem(status: number, contentType: string | null | undefined): boolean
}

const done: Next = { kind: 'done', budgetSpent: false }

/** Makes the judge of one call. */
export function createJudge({ rules, policy, budget, random }: JudgeSettings, { origin, repeatable, replayable, isWhole = () => false }: JudgedCall): Judge {
  let repairs = 0
  let refusals = 0
  let retries = 0

  const byPolicy = (retryAfter: number | undefined, remaining: number): Next => {
    if (policy === undefined || retries >= policy.attempts - 1) return done
    const delay = backoffDelay(retries, retryAfter, remaining, random(), policy)
    if (delay === undefined) return done
    // The budget last: a token is only spent where there is an attempt for it.
    if (budget?.spend(origin) === false) return { kind: 'done', budgetSpent: true }
    retries += 1
    return { kind: 'send', why: 'policy', delay, fresh: false }
  }

  return {
    failed(evidence, permanent, remaining) {
      const verdict = verdictOf(evidence)
      const asks = { repeatable, replayable: replayable || (verdict === 'not-sent' && isWhole()), repairs, refusals }
      const remedy = remaining > 0 ? remedyOf(verdict, permanent, asks, rules) : { kind: 'none' as const }
      if (verdict === 'refused') refusals += 1
      if (remedy.kind === 'none') return { verdict, next: done }
      if (remedy.kind === 'policy') return { verdict, next: byPolicy(undefined, remaining) }
      if (verdict !== 'refused') repairs += 1
      return { verdict, next: { kind: 'send', why: 'repair', delay: 0, fresh: remedy.fresh } }
    },
    answered(status, retryAfter, problemType, remaining) {
      const again = isRetryResponse(status, problemType, { repeatable, replayable }, policy?.statuses)
      if (again) return byPolicy(retryAfter, remaining)
      if (status < 500 && policy?.statuses.includes(status) !== true) budget?.earn(origin)
      return done
    },
    asksForProblem: (status, contentType) =>
      status === 409 && repeatable && replayable && policy !== undefined && /^application\/problem\+json\b/i.test(contentType ?? ''),
  }
}
