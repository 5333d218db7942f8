import type { Row } from '../scenario.js'
import type { Made } from './load.js'

/**
 * Holds what callers were told against what is in the database.
 * - `failed_unanswered`: failed calls of which no answer had begun to arrive; of the rest, one was cut after its first byte.
 * - `duplicates`: rows beyond the first of an order, whatever its caller was told.
 * - `missing`: orders that were answered as made, and are not there.
 * @param rows how often each reference is there
 */
export function tally(made: readonly Made[], rows: ReadonlyMap<string, number>): Row {
  const answered = made.filter(({ outcome }) => outcome.kind === 'answered')
  const failures = made.flatMap(({ method, outcome }) => (outcome.kind === 'failed' ? [{ method, ...outcome }] : []))
  const counts = [...rows.values()]
  return {
    calls: made.length,
    ok: answered.length,
    failed: failures.length,
    failed_unanswered: failures.filter(({ begun }) => !begun).length,
    orders: counts.reduce((sum, count) => sum + count, 0),
    duplicates: counts.reduce((sum, count) => sum + count - 1, 0),
    missing: answered.filter(({ method, reference }) => method === 'POST' && !rows.has(reference)).length,
    failures: told(failures.map(({ method, why }) => `${method} ${why}`)),
  }
}

function told(words: readonly string[]): string {
  const counts = new Map<string, number>()
  for (const word of words) counts.set(word, (counts.get(word) ?? 0) + 1)
  return [...counts].map(([word, count]) => `${word} x ${count}`).join(', ')
}
