import { qualified, type TableNames } from './identifier.js'
import { textLiteral } from './literal.js'

/**
 * The statement that removes at most `limit` records (a number as it stands in SQL) whose retention is over, those that
 * are over longest first; its row has how many as `count`. Records that somebody else works on are left alone, and while
 * another process sweeps, it does nothing: two would only be in each other's way.
 */
export function sweepSql(names: TableNames, limit: string): string {
  const table = qualified(names)
  // In brackets, the clock and the lock are asked once, and the index is used.
  return `WITH gone AS (
  DELETE FROM ${table} WHERE ctid = ANY (ARRAY(
    SELECT ctid FROM ${table}
    WHERE expires_at <= (SELECT clock_timestamp())
      AND (SELECT pg_try_advisory_xact_lock(hashtextextended(${textLiteral(`hopwise ${table}`)}, 0)))
    ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
  )) RETURNING true
)
SELECT count(*)::integer AS count FROM gone`
}

/** How many records a sweep has removed. */
export function sweptIn(rows: readonly unknown[]): number {
  return Number((rows[0] as { readonly count: number }).count)
}
