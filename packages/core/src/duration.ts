import { HopwiseError } from './errors.js'
import { show } from './show.js'

declare const milliseconds: unique symbol

/** A span of time in milliseconds, branded so that seconds cannot slip in. Made by {@link duration}. */
export type Duration = number & { readonly [milliseconds]: true }

/** What is accepted wherever a duration is asked for: `'250ms'`, `'75s'`, `'1.5m'`, `'2h'`, `'1d'`, or a number of milliseconds. */
export type DurationInput = number | `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1_000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/** How durations are written, for messages. */
export const durationForms = "a duration such as '500ms', '75s', '1m', '2h', '1d', or a number of milliseconds"

/** The longest delay that a timer of any runtime takes (a signed 32-bit count of ms); a longer one would fire at once. */
export const longestTimer = 2_147_483_647 as Duration

/** Parses `input`, or gives `undefined` where it is not a finite, non-negative duration. Rounds to whole milliseconds. */
export function tryDuration(input: unknown): Duration | undefined {
  if (typeof input === 'number') return asDuration(input)
  if (typeof input !== 'string') return undefined
  const match = /^(\d+(?:\.\d+)?)(ms|s|m|h|d)$/.exec(input)
  const unit = unitMs[match?.[2] ?? '']
  return match === null || unit === undefined ? undefined : asDuration(Number(match[1]) * unit)
}

/**
 * Parses a duration.
 * @throws HopwiseError `option-invalid` where `input` is not one; a string without a unit is refused, since
 * nobody can tell seconds from milliseconds by looking at it.
 */
export function duration(input: DurationInput): Duration {
  const parsed = tryDuration(input)
  if (parsed === undefined) {
    throw new HopwiseError('option-invalid', `expected ${durationForms}, got ${show(input)}`)
  }
  return parsed
}

/** Writes a duration in the largest unit that holds it exactly: `75000` → `'75s'`, `3600000` → `'1h'`. */
export function formatDuration(value: Duration): string {
  for (const unit of ['d', 'h', 'm', 's']) {
    const size = unitMs[unit] ?? 1
    // 90 s stays '90s' and 75 s stays '75s': that is how proxies and people write them.
    if (value >= size && value % size === 0 && (unit !== 'm' || value / size >= 2)) return `${value / size}${unit}`
  }
  return `${value}ms`
}

/** The whole seconds in `value`, rounded up: for `Retry-After` and other fields that know only seconds. */
export function wholeSeconds(value: Duration): number {
  return Math.ceil(value / 1_000)
}

function asDuration(value: number): Duration | undefined {
  const rounded = Math.round(value)
  return Number.isSafeInteger(rounded) && rounded >= 0 && value >= 0 ? (rounded as Duration) : undefined
}
