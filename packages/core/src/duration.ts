import { HopwiseError } from './errors.js'
import { show } from './show.js'

declare const milliseconds: unique symbol

/** A span of time in milliseconds, branded so that seconds cannot slip in. Made by {@link duration}. */
export type Duration = number & { readonly [milliseconds]: true }

/** A duration with its unit: `'250ms'`, `'75s'`, `'1.5m'`, `'2h'`, `'1d'`. */
export type DurationText = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`

/** What is accepted wherever a duration is asked for: {@link DurationText}, or a number of milliseconds. */
export type DurationInput = number | DurationText

/** Milliseconds in each unit, the largest first. */
const unitMs: Readonly<Record<string, number>> = { d: 86_400_000, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 }

/** How durations are written, for messages. */
export const durationForms = "a duration such as '500ms', '75s', '2h', '1d', or milliseconds"

/** The longest delay that a timer of any runtime takes (a signed 32-bit count of ms); a longer one would fire at once. */
export const longestTimer = 2_147_483_647 as Duration

/** Parses `input`, or gives `undefined` where it is not a finite, non-negative duration. Rounds to whole milliseconds. */
export function tryDuration(input: unknown): Duration | undefined {
  const [, count, unit = ''] = (typeof input === 'string' && /^(\d+(?:\.\d+)?)(ms|[smhd])$/.exec(input)) || []
  const value = typeof input === 'number' ? input : Number(count) * (unitMs[unit] as number)
  const rounded = Math.round(value)
  return Number.isSafeInteger(rounded) && value >= 0 ? (rounded as Duration) : undefined
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
  for (const [unit, size] of Object.entries(unitMs)) {
    // 90 s stays '90s' and 75 s stays '75s': that is how proxies and people write them.
    if (value % size === 0 && value / size >= (unit === 'm' ? 2 : 1)) return `${value / size}${unit}`
  }
  return `${value}ms`
}

/** The whole seconds in `value`, rounded up: for `Retry-After` and other fields that know only seconds. */
export function wholeSeconds(value: Duration): number {
  return Math.ceil(value / 1_000)
}
