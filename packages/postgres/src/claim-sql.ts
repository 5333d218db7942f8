/** The values of a claim as they stand in SQL: parameters (`$1`) or literals. */
export interface ClaimValues {
  readonly key: string
  readonly owner: string
  readonly fingerprint: string
  /** Milliseconds. */
  readonly lease: string
  /** Milliseconds. */
  readonly retention: string
  /** {@link takeAny}, {@link takeNone}, or the fence whose lease may be taken. */
  readonly expired: string
}

/** For {@link ClaimValues.expired}; fences begin at 1. */
export const takeAny = -1
/** For {@link ClaimValues.expired}. */
export const takeNone = 0

/**
 * The beginning of a statement, up to a relation `taken`, which is the new record where the key could be had, and a
 * relation `seen`, which is the record as it was before.
 *
 * A key that `seen` shows not to be free is not touched: replays and refusals only read. Between the look and the insertion
 * somebody else may come: ON CONFLICT waits for him and decides anew. Where he won, `taken` is empty although `seen`
 * showed the key free: his record is younger than the snapshot of this statement, and only the next one sees it.
 */
export function takeSql(table: string, values: ClaimValues): string {
  const { key, owner, fingerprint, lease, retention } = values
  const leaseEnd = `clock_timestamp() + ${milliseconds(lease)}`
  const end = `clock_timestamp() + ${milliseconds(`greatest(${lease}, ${retention})`)}`
  // Column names in results are one word each: some drivers are told to change the case of others.
  return `WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS at),
seen AS MATERIALIZED (SELECT ${kindSql(values)} AS kind, ${rowSql} FROM ${table} AS k, clock WHERE k.key = ${key}),
taken AS (
  INSERT INTO ${table} AS k (key, state, fence, owner, fingerprint, lease_until, expires_at)
  SELECT ${key}, 'pending', 1, ${owner}, ${fingerprint}, ${leaseEnd}, ${end}
  WHERE NOT EXISTS (SELECT FROM seen WHERE kind <> 'free')
  ON CONFLICT (key) DO UPDATE SET
    state = 'pending',
    fence = CASE WHEN k.expires_at <= clock_timestamp() THEN 1 ELSE k.fence + 1 END,
    owner = excluded.owner,
    fingerprint = excluded.fingerprint,
    lease_until = ${leaseEnd},
    expires_at = ${end},
    phases = CASE WHEN k.expires_at > clock_timestamp() THEN k.phases END,
    status = NULL, fields = NULL, request_id = NULL, body = NULL
  WHERE ${freeSql(values, 'clock_timestamp()')}
  RETURNING fence, phases
)`
}

/** One statement, one row: what came of the claim; no row where it has to be run again (see {@link takeSql}). */
export function claimSql(table: string, values: ClaimValues): string {
  return `${takeSql(table, values)}
SELECT 'claimed' AS kind, fence, phases::text AS phases, NULL::float8 AS remaining,
  NULL::integer AS status, NULL::text AS fields, NULL::text AS request, NULL::bytea AS body FROM taken
UNION ALL
SELECT kind, fence, phases, remaining, status, fields, request, body FROM seen WHERE kind <> 'free'`
}

/** What the key's record says to this claim, whose own record it may be; no row where there is none or it is free. */
export function lookSql(table: string, values: ClaimValues): string {
  return `WITH clock AS MATERIALIZED (SELECT clock_timestamp() AS at),
seen AS MATERIALIZED (
  SELECT CASE WHEN k.owner = ${values.owner} AND k.state = 'pending' THEN 'claimed' ELSE ${kindSql(values)} END AS kind, ${rowSql}
  FROM ${table} AS k, clock WHERE k.key = ${values.key}
)
SELECT * FROM seen WHERE kind <> 'free'`
}

const rowSql = `k.fence, k.phases::text AS phases, (extract(epoch FROM k.lease_until - clock.at) * 1000)::float8 AS remaining,
  k.status, k.fields, k.request_id AS request, k.body`

/** What the record `k` says to a claim; mismatch comes before everything else. */
function kindSql(values: ClaimValues): string {
  return `CASE WHEN ${freeSql(values, 'clock.at')} THEN 'free'
    WHEN k.fingerprint <> ${values.fingerprint} THEN 'mismatch'
    WHEN k.state = 'done' THEN 'done'
    WHEN k.lease_until > clock.at THEN 'pending'
    ELSE 'expired' END`
}

/** Whether the claim may take the record `k`. */
function freeSql({ fingerprint, expired }: ClaimValues, at: string): string {
  return `(k.expires_at <= ${at} OR k.state = 'released' OR (k.state = 'pending'
    AND k.fingerprint = ${fingerprint} AND k.lease_until <= ${at} AND ${expired} IN (${takeAny}, k.fence)))`
}

/** An interval of so many milliseconds. */
export function milliseconds(count: string): string {
  return `(${count}) * interval '1 millisecond'`
}
