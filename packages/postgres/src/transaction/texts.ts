import type { Claim, ClaimRequest, Duration, StoredResponse } from '@hopwise/core'
import { lookSql, milliseconds, takeAny, takeNone, takeSql, type ClaimValues } from '../claim-sql.js'
import { bytesLiteral, numberLiteral, textLiteral } from '../literal.js'

/** The isolation levels of PostgreSQL. */
export type Isolation = 'read committed' | 'repeatable read' | 'serializable'

/** Where an own `lock_timeout` is kept during the claim; any name with a dot is a variable of the session. */
const keptTimeout = 'hopwise.lock_timeout'

/**
 * Several statements in one text, one round trip: opens a transaction, takes the key, waiting for at most `wait`
 * milliseconds for another transaction that has it, and looks what came of it. The wait does not bind the handler's own
 * statements. Its last statement gives the row of the claim, or none where it has to be tried again.
 */
export function claimText(table: string, request: ClaimRequest, isolation: Isolation, wait: number): string {
  const { key, owner, fingerprint, lease, retention, expired } = request
  const values: ClaimValues = {
    key: textLiteral(key),
    owner: textLiteral(owner),
    fingerprint: textLiteral(fingerprint),
    lease: numberLiteral(lease),
    retention: numberLiteral(retention),
    expired: numberLiteral(expired === 'take' ? takeAny : expired === 'report' ? takeNone : Math.max(expired, takeNone)),
  }
  return `BEGIN ISOLATION LEVEL ${isolation};
SELECT set_config('${keptTimeout}', current_setting('lock_timeout'), true), set_config('lock_timeout', '${Math.max(1, Math.ceil(wait))}', true);
${takeSql(table, values)} SELECT FROM taken;
SELECT set_config('lock_timeout', current_setting('${keptTimeout}'), true);
${lookSql(table, values)}`
}

/** What {@link completeText} needs: values as they stand in SQL. */
interface CompleteValues {
  readonly key: string
  readonly owner: string
  readonly fence: string
  readonly status: string
  readonly fields: string
  readonly request: string
  readonly body: string
  readonly retention: string
}

/** The statement that writes the result, with all values in it, or with placeholders where the body is a large one. */
export function completeText(
  table: string,
  { key, owner, fence }: Claim,
  { status, fields, requestId, body }: StoredResponse,
  retention: Duration,
): { readonly text: string; readonly values?: readonly unknown[] } {
  const list = JSON.stringify(fields)
  if (body !== null && body.length > largestInline) {
    return { text: completeSql(table, placeholders), values: [key, owner, fence, status, list, requestId ?? null, body, retention] }
  }
  const text = completeSql(table, {
    key: textLiteral(key),
    owner: textLiteral(owner),
    fence: numberLiteral(fence),
    status: numberLiteral(status),
    fields: textLiteral(list),
    request: requestId === undefined ? 'NULL' : textLiteral(requestId),
    body: body === null ? 'NULL' : bytesLiteral(body),
    retention: numberLiteral(retention),
  })
  return { text }
}

/** A body in the text takes twice its bytes, but saves a round trip. */
const largestInline = 65_536

const placeholders: CompleteValues = {
  key: '$1::text',
  owner: '$2::text',
  fence: '$3::bigint',
  status: '$4::integer',
  fields: '$5::text',
  request: '$6::text',
  body: '$7::bytea',
  retention: '$8::float8',
}

/** Fails with `division_by_zero` where the record is not this claim's any more: nothing after it in its transaction is committed then. */
function completeSql(table: string, values: CompleteValues): string {
  return `WITH done AS (
  UPDATE ${table} SET state = 'done', status = ${values.status}, fields = ${values.fields}, request_id = ${values.request},
    body = ${values.body}, phases = NULL, expires_at = clock_timestamp() + ${milliseconds(values.retention)}
  WHERE key = ${values.key} AND owner = ${values.owner} AND fence = ${values.fence} AND state = 'pending'
  RETURNING true
)
SELECT 1 / count(*) AS one FROM done`
}
