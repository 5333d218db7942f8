import { claimSql, milliseconds } from './claim-sql.js'
import { qualified, type TableNames } from './identifier.js'
import { sweepSql } from './sweep.js'

/** The channel of all stores; payloads are keys. A wake-up is a hint, so that it matters little if two tables share it. */
export const channel = 'hopwise_idempotency'

/** The statements of the store with leases, each one step; the order of their values is in their names. */
export interface Statements {
  /** key, owner, fingerprint, lease, retention, expired */
  readonly claim: string
  /** key, owner, fence, status, fields, request id, body, retention */
  readonly complete: string
  /** key, owner, fence, lease */
  readonly renew: string
  /** key, owner, fence, name, value */
  readonly savePhase: string
  /** key, owner, fence */
  readonly release: string
  /** limit */
  readonly sweep: string
}

/** Writes the statements for one table. `notifies` where waiters are to be told. */
export function writeStatements(names: TableNames, notifies: boolean): Statements {
  const table = qualified(names)
  // A holder keeps its rights after its lease, but not after its record.
  const held = "key = $1::text AND owner = $2::text AND fence = $3::bigint AND state = 'pending' AND expires_at > clock_timestamp()"
  const told = (update: string): string =>
    notifies ? `WITH changed AS (${update} RETURNING key) SELECT pg_notify('${channel}', key) AS told FROM changed` : `${update} RETURNING true AS changed`
  return {
    claim: claimSql(table, {
      key: '$1::text',
      owner: '$2::text',
      fingerprint: '$3::text',
      lease: '$4::float8',
      retention: '$5::float8',
      expired: '$6::bigint',
    }),
    complete: told(`UPDATE ${table} SET state = 'done', status = $4::integer, fields = $5::text, request_id = $6::text, body = $7::bytea,
      phases = NULL, expires_at = clock_timestamp() + ${milliseconds('$8::float8')} WHERE ${held}`),
    renew: `UPDATE ${table} SET lease_until = clock_timestamp() + ${milliseconds('$4::float8')},
      expires_at = greatest(expires_at, clock_timestamp() + ${milliseconds('$4::float8')}) WHERE ${held} RETURNING true AS changed`,
    savePhase: `UPDATE ${table} SET phases = coalesce(phases, '{}') || jsonb_build_object($4::text, $5::text) WHERE ${held} RETURNING true AS changed`,
    release: told(`UPDATE ${table} SET state = 'released', phases = NULL WHERE ${held}`),
    sweep: sweepSql(names, '$1::bigint'),
  }
}
