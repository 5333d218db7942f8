import type { Duration } from '../duration.js'
import type { DrainPlan } from './plan.js'
import type { DrainPhase } from './step.js'

/**
 * Whether a request that arrives now is to be answered 503 at once: only where the deadline is so near that it would
 * be cut.
 */
export function shouldShed(plan: DrainPlan, view: { readonly phase: DrainPhase; readonly startedAt: number; readonly now: number }): boolean {
  return view.phase === 'draining' && view.now >= view.startedAt + plan.deadline - plan.shedWithin
}

/**
 * When a stream or an upgraded socket is to be told that the server ends: somewhere in `streamSpread`, but in the first
 * half of what is left until the deadline. Milliseconds from now.
 * @param random from 0 up to 1
 */
export function farewellDelay(plan: DrainPlan, view: { readonly startedAt: number; readonly now: number }, random: number): Duration {
  const left = view.startedAt + plan.deadline - view.now
  return Math.max(0, Math.floor(random * Math.min(plan.streamSpread, left / 2))) as Duration
}
