import type { DrainPlan } from '../drain/plan.js'
import { wholeSeconds, type Duration, type DurationInput } from '../duration.js'
import { HopwiseError } from '../errors.js'
import { durationField, type Parsed } from '../options.js'
import type { ServerSettings } from './derive.js'

/** What an orchestrator's patience depends on, besides the drain plan. */
export interface StopOptions {
  /** How long what runs before and after the drain (closing databases and queues) may take in total. Range 0 to 1 h. ['10s'] */
  readonly hooks?: DurationInput
  /** The longest that a request may take, its answer included. Range 0 to 24 h. [not checked] */
  readonly longestRequest?: DurationInput
}

/** How {@link StopOptions} are read. */
export const stopFields = {
  hooks: durationField({ max: '1h', default: '10s' }),
  longestRequest: durationField({ max: '24h' }),
}

/** {@link StopOptions} as read. */
export type StopTimes = Parsed<typeof stopFields>

/** A time in seconds as it stands in a comment: `19500` → `'19.5 s'`. */
export function inSeconds(time: number): string {
  return `${time / 1_000} s`
}

/**
 * From the order to stop until the process has ended, in whole seconds: the wait before the signal, the hooks, the
 * drain's deadline (announcing is part of it), and one second more, so that it is the drain that ends a drain.
 */
export function stopTime(plan: DrainPlan, hooks: Duration, preStop = 0): { readonly seconds: number; readonly sum: string } {
  const total = preStop + hooks + plan.deadline + 1_000
  const seconds = wholeSeconds(total as Duration)
  const parts = [...(preStop > 0 ? [`${inSeconds(preStop)} preStop`] : []), `${inSeconds(hooks)} hooks`, `${inSeconds(plan.deadline)} deadline`, '1 s']
  return { seconds, sum: `${parts.join(' + ')} = ${inSeconds(total)}${seconds * 1_000 === total ? '' : ', rounded up'}` }
}

/**
 * What the deadline leaves for a request, as lines of a comment: with `announce-first`, for one that comes just before
 * the listener closes. Later ones, on connections that are still open, have less.
 * @throws HopwiseError `option-invalid` where `longestRequest` is longer than that
 */
export function requestTime(plan: DrainPlan, server: ServerSettings, longest: Duration | undefined): string[] {
  const announced = plan.mode === 'announce-first'
  const left = plan.deadline - (announced ? plan.announceFor + plan.quietWindow : 0)
  const sum = announced
    ? `${inSeconds(plan.deadline)} - ${inSeconds(plan.announceFor)} - ${inSeconds(plan.quietWindow)} = ${inSeconds(left)}`
    : inSeconds(left)
  const names = announced ? 'deadline - announceFor - quietWindow' : 'deadline'
  if (longest !== undefined && longest > left) {
    throw new HopwiseError(
      'option-invalid',
      `deployment: option "longestRequest" is ${inSeconds(longest)}; allowed: at most ${sum} (${names}). Raise the drain's deadline to ${inSeconds(longest + plan.deadline - left)}${announced ? ', or shorten announceFor' : ''}`,
    )
  }
  const has = `${longest === undefined ? 'a request has' : `longest request ${inSeconds(longest)} fits:`} ${sum} (${names}),`
  // Without a quiet window, announcing takes half of what is left: see drainStep.
  const atWorst = announced && (longest ?? left) > left / 2 ? `; ${inSeconds(left / 2)} where new connections never pause for ${inSeconds(plan.quietWindow)}` : ''
  const lines = announced ? [has, `if it comes before the listener closes${atWorst}`] : [`${has} if it is running when the drain begins`]
  if (server.requestTimeout > left) lines.push(`requestTimeout gives it ${inSeconds(server.requestTimeout)} to arrive: the deadline cuts that short`)
  return lines
}

/** Lines of text as lines of a comment. */
export function comment(lines: readonly string[], mark: string): string {
  return lines.map((line) => `${mark} ${line}\n`).join('')
}
