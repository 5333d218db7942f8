import type { DrainPlan } from './plan.js'

/** Nobody in front knows of a drain in its first moment: what was idle then may be picked right now. Shorter only with a shorter `idleGrace`. */
const firstGrace = 1_000
/** Before a deadline, connections that are idle for longer than this go first, all at once. */
const oldestTold = 120_000

/** Which idle connections of a draining server are due, and when the next one is. All times on one clock, in milliseconds. */
export interface IdleDue {
  /** Those that were last active at or before this time are to be closed; absent where none is due. */
  readonly closeSince?: number
  /** When the next one is due; `Infinity` where there is none. */
  readonly nextAt: number
}

/**
 * An idle connection is due when `idleGrace` has passed since its last activity, yet not in the drain's first second
 * (or first `idleGrace`, where that is shorter). Where the deadline is nearer than that, connections are closed in the
 * stretch before it, one after another, the longest idle first: the age at which a connection is due falls there from
 * `idleGrace` (2 min at most) to nothing. So each has the chance of one more request for as long as there is time, the
 * one that the hop in front used last (and is likeliest to use next) the longest.
 */
export function idleDue(plan: DrainPlan, startedAt: number, idleSince: readonly number[], now: number): IdleDue {
  const until = startedAt + plan.deadline - Math.min(1_000, plan.deadline / 20)
  const stretch = Math.min(5_000, plan.deadline / 4)
  const oldest = Math.min(plan.idleGrace, oldestTold)
  let closeSince: number | undefined
  let nextAt = Number.POSITIVE_INFINITY
  for (const since of idleSince) {
    const byGrace = Math.max(since + plan.idleGrace, startedAt + Math.min(plan.idleGrace, firstGrace))
    // Where the line from (until - stretch, oldest) to (until, 0) meets this connection's growing age.
    const met = (since * stretch + oldest * until) / (stretch + oldest)
    const dueAt = Math.min(byGrace, until, Math.max(met, until - stretch))
    if (dueAt <= now) closeSince = Math.max(closeSince ?? since, since)
    else if (dueAt < nextAt) nextAt = dueAt
  }
  return { ...(closeSince !== undefined && { closeSince }), nextAt }
}
