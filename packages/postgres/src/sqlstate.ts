import { errorText, HopwiseError } from '@hopwise/core'

/** PostgreSQL's error codes (documentation, appendix A) that mean something here. */
export const sqlstate = {
  divisionByZero: '22012',
  uniqueViolation: '23505',
  serializationFailure: '40001',
  deadlockDetected: '40P01',
  undefinedTable: '42P01',
  duplicateTable: '42P07',
  duplicateObject: '42710',
  undefinedColumn: '42703',
  lockNotAvailable: '55P03',
} as const

/** Both drivers give the code as `code`; query builders put the driver's error in `cause`. */
export function codeOf(error: unknown): string | undefined {
  for (let depth = 0, at = error; depth < 5 && typeof at === 'object' && at !== null; depth++) {
    const { code, cause } = at as { readonly code?: unknown; readonly cause?: unknown }
    if (typeof code === 'string' && /^[0-9A-Z]{5}$/.test(code)) return code
    at = cause
  }
  return undefined
}

/** Whether the same work may well succeed when it is done again from the start. */
export function isRetryable(error: unknown): boolean {
  const code = codeOf(error)
  return code === sqlstate.serializationFailure || code === sqlstate.deadlockDetected
}

/** What to throw for an error of the database: the one that came, or one that says what to do where the table is not there. */
export function explained(error: unknown, table: string): unknown {
  const code = codeOf(error)
  if (code !== sqlstate.undefinedTable && code !== sqlstate.undefinedColumn) return error
  const what = code === sqlstate.undefinedTable ? 'is not there' : 'is not one of this store'
  const text = `the table ${table} ${what}: make it with createTable(), or with the package's migrations/001_hopwise_idempotency.sql`
  return new HopwiseError('store-unusable', `${text} (${errorText(error)})`, { cause: error })
}
