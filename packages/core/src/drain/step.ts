import type { Duration } from '../duration.js'
import type { DrainPlan } from './plan.js'

/** The phases of a server's life, in order. */
export type DrainPhase = 'ready' | 'announcing' | 'draining' | 'closed'

/** What a drain looks at: plain figures about the server, all times in milliseconds of the same clock. */
export interface DrainView {
  readonly now: number
  /** When the drain began. */
  readonly startedAt: number
  readonly phase: DrainPhase
  /** When the last connection was accepted; `-Infinity` where none was. */
  readonly lastConnectionAt: number
  /** Open connections, busy and idle. */
  readonly openConnections: number
  /** For each idle connection, when it last did anything. */
  readonly idleSince: readonly number[]
}

/** What follows from a {@link DrainView}. */
export interface DrainStep {
  /** The phase from now on. Entering `draining` means: stop accepting. Entering `closed` means: cut what is left. */
  readonly phase: DrainPhase
  /** Idle connections that last did something at or before this time are to be closed; absent where none is. */
  readonly closeIdleSince?: number
  /** How long until the next look, if nothing happens before. Absent in `closed`. */
  readonly lookAgainIn?: Duration
}

/**
 * Decides the next step of a drain. It is pure, and idempotent for an unchanged view.
 *
 * An idle connection is not cut at once: it has `idleGrace` since its last activity, or since the drain began, for one
 * more request, whose response then says `Connection: close`. (Without the second, a proxy that had not learnt of the
 * drain lost requests to connections that were closed in its first moment: measured behind nginx on a loaded machine.) A new connection in `announcing` postpones the closing of the listener, since
 * closing it resets what the kernel has accepted and Node has not (measured: 13 lost POSTs in 8 restarts behind nginx).
 * But a health check that connects anew each time may never leave a quiet window, so `announcing` takes at most half of
 * what the deadline leaves beyond `announceFor` and `quietWindow`: the rest is for `draining`.
 */
export function drainStep(plan: DrainPlan, view: DrainView): DrainStep {
  const deadlineAt = view.startedAt + plan.deadline
  if (view.phase === 'closed' || view.now >= deadlineAt) return { phase: 'closed' }
  if (view.phase === 'ready' || view.phase === 'announcing') {
    const acceptUntil = plan.mode === 'refuse-first'
      ? view.startedAt
      : Math.min(
          Math.max(view.startedAt + plan.announceFor, view.lastConnectionAt + plan.quietWindow),
          view.startedAt + (plan.announceFor + plan.quietWindow + plan.deadline) / 2,
        )
    if (view.now < acceptUntil) {
      return { phase: 'announcing', lookAgainIn: until(view.now, Math.min(acceptUntil, deadlineAt)) }
    }
  }
  if (view.phase === 'draining' && view.openConnections === 0) return { phase: 'closed' }

  const quietSince = view.now - plan.idleGrace
  let overdue = false
  let nextIdle = Number.POSITIVE_INFINITY
  for (const lastActive of view.idleSince) {
    // Nobody knows of the drain before it began: a connection that was idle then may be picked right now.
    const since = Math.max(lastActive, view.startedAt)
    if (since <= quietSince) overdue = true
    else nextIdle = Math.min(nextIdle, since + plan.idleGrace)
  }
  return {
    phase: 'draining',
    // What was idle before the drain began has had its grace as well by now.
    ...(overdue && { closeIdleSince: quietSince }),
    lookAgainIn: until(view.now, Math.min(nextIdle, deadlineAt)),
  }
}

function until(now: number, then: number): Duration {
  return Math.max(0, Math.ceil(then - now)) as Duration
}
