import { BoundedMap, mostOrigins } from './bounded-map.js'

/** How much the policy may add to the traffic of one origin, as gRPC has it (gRPC A6, "Throttling Retry Attempts"). */
export interface BudgetRules {
  /** With how many tokens an origin begins, and how many it may have. */
  readonly tokens: number
  /** What a response that is not to be tried again gives back. */
  readonly perSuccess: number
}

/** Tokens of each origin. A retry by policy costs one, and is not made where there is none; repairs cost nothing. */
export interface Budget {
  /** Takes a token; `false` where there is none. */
  spend(origin: string): boolean
  /** A call has ended with a response that was not to be tried again. */
  earn(origin: string): void
}

/** Makes the budget of a client, for the 1,000 origins that it used last. */
export function createBudget({ tokens, perSuccess }: BudgetRules): Budget {
  // Hundredths, so that ten times a tenth is a whole token.
  const most = tokens * 100
  const origins = new BoundedMap<string, number>(mostOrigins)
  return {
    spend(origin) {
      const left = origins.get(origin) ?? most
      if (left < 100) return false
      origins.set(origin, left - 100)
      return true
    },
    earn(origin) {
      const left = origins.get(origin)
      // One that is full need not be remembered anew.
      if (left !== undefined && left < most) origins.set(origin, Math.min(most, left + Math.round(perSuccess * 100)))
    },
  }
}
