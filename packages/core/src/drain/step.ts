import type { Duration } from '../duration.js'
import { idleDue } from './idle.js'
import type { DrainPlan } from './plan.js'

/**
 * The phases of a server's life, in order. `announcing`: not ready any more, the listener still open, connections kept
 * as ever. `draining`: the listener is closed, and each response says `Connection: close`.
 */
export type DrainPhase = 'ready' | 'announcing' | 'draining' | 'closed'

/** What a drain looks at: plain figures about the server, all times in milliseconds of the same clock. */
export interface DrainView {
  readonly now: number
  /** When the drain began. */
  readonly startedAt: number
  readonly phase: DrainPhase
  /** Whether the listener is open. */
  readonly listening: boolean
  /** When the last connection was accepted; `-Infinity` where none was. */
  readonly lastConnectionAt: number
  /** Open connections, busy and idle, and whatever else has to end first. */
  readonly openConnections: number
  /** For each idle connection, when it last did anything. */
  readonly idleSince: readonly number[]
}

/** What follows from a {@link DrainView}. */
export interface DrainStep {
  /** The phase from now on. Entering `closed` means: cut what is left. */
  readonly phase: DrainPhase
  /** The listener is to be closed, in a moment in which nothing waits to be accepted. Only in `announcing`. */
  readonly stopAccepting?: true
  /** Idle connections that last did something at or before this time are to be closed; absent where none is. */
  readonly closeIdleSince?: number
  /** How long until the next look, if nothing happens before. Absent in `closed`. */
  readonly lookAgainIn?: Duration
}

/** The quiet moment that `refuse-first` looks for, and how long it looks at most. */
const refuse = { quiet: 20, atMost: 500 } as const

/**
 * Decides the next step of a drain. It is pure, and idempotent for an unchanged view.
 *
 * Closing a listener resets what the kernel has accepted and Node has not. So it waits for a moment without a new
 * connection, and until the listener is closed no response says `close`: each one would make the hop in front open a
 * new connection right then (measured: 13 lost POSTs in 8 restarts behind nginx). `refuse-first` looks for 20 quiet
 * milliseconds, half a second at most. `announce-first` waits for `announceFor` and then for `quietWindow`; but a health
 * check that connects anew each time may never leave one, so it takes at most half of what the deadline leaves beyond
 * the two (half of the deadline, where that is not longer than they are): the rest is for `draining`. From there nothing
 * leads back, a listener that is opened anew neither.
 */
export function drainStep(plan: DrainPlan, view: DrainView): DrainStep {
  const { now, startedAt } = view
  const deadlineAt = startedAt + plan.deadline
  if (view.phase === 'closed' || now >= deadlineAt) return { phase: 'closed' }
  if (view.listening && view.phase !== 'draining') {
    const stopAt = acceptUntil(plan, view)
    if (now < stopAt) return { phase: 'announcing', lookAgainIn: until(now, stopAt) }
    return { phase: 'announcing', stopAccepting: true, lookAgainIn: until(now, deadlineAt) }
  }
  if (view.openConnections === 0) return view.phase === 'draining' ? { phase: 'closed' } : { phase: 'draining', lookAgainIn: 0 as Duration }
  const { closeSince, nextAt } = idleDue(plan, startedAt, view.idleSince, now)
  return {
    phase: 'draining',
    ...(closeSince !== undefined && { closeIdleSince: closeSince }),
    lookAgainIn: until(now, Math.min(nextAt, deadlineAt)),
  }
}

function acceptUntil(plan: DrainPlan, { startedAt, lastConnectionAt }: DrainView): number {
  if (plan.mode === 'refuse-first') {
    return Math.min(Math.max(startedAt, lastConnectionAt + refuse.quiet), startedAt + Math.min(refuse.atMost, plan.deadline / 4))
  }
  const announced = plan.announceFor + plan.quietWindow
  // A deadline that was brought nearer for this one drain may leave less than announcing takes.
  const longest = (announced < plan.deadline ? announced + plan.deadline : plan.deadline) / 2
  return Math.min(Math.max(startedAt + plan.announceFor, lastConnectionAt + plan.quietWindow), startedAt + longest)
}

function until(now: number, then: number): Duration {
  return Math.max(0, Math.ceil(then - now)) as Duration
}
