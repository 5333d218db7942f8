import type { Duration } from '../duration.js'

/** Starts a stopwatch: gives a function that tells the whole milliseconds since. */
export function stopwatch(): () => Duration {
  const startedAt = performance.now()
  return () => Math.round(performance.now() - startedAt) as Duration
}
