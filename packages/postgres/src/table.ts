import { parseOptions } from '@hopwise/core'
import { derivedName, identifierField, qualified, quoted } from './identifier.js'
import type { Query } from './query.js'
import { codeOf, sqlstate } from './sqlstate.js'

/** Where the records live; both kinds of store share one layout. */
export interface TableOptions {
  /** A schema that exists: 1 to 63 bytes, any characters but NUL. ['public'] */
  readonly schema?: string
  /** 1 to 63 bytes, any characters but NUL. ['hopwise_idempotency'] */
  readonly table?: string
}

/** The fields of {@link TableOptions}. */
export const tableFields = {
  schema: identifierField('public'),
  table: identifierField('hopwise_idempotency'),
}

/**
 * The SQL that makes the table and its index where they are missing, for a migration of your own. PostgreSQL 12 or later.
 * For the default names it is the package's `migrations/001_hopwise_idempotency.sql`.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function createTableSql(options?: TableOptions): string {
  return tableStatements(options).map((statement) => `${statement};\n`).join('')
}

/**
 * Makes the table and its index where they are missing; processes that do so at once do not disturb each other.
 * @throws HopwiseError `option-unknown`, `option-invalid`; and whatever the database refuses, such as a schema that is not there
 */
export async function createTable(query: Query, options?: TableOptions): Promise<void> {
  for (const statement of tableStatements(options)) await patiently(() => query(statement, []))
}

function tableStatements(options: TableOptions | undefined): string[] {
  const names = parseOptions('createTable', options, tableFields)
  const name = qualified(names)
  return [
    `CREATE TABLE IF NOT EXISTS ${name} (
  key text COLLATE "C" NOT NULL PRIMARY KEY,
  state text NOT NULL CHECK (state IN ('pending', 'released', 'done')),
  fence bigint NOT NULL,
  owner text NOT NULL,
  fingerprint text NOT NULL,
  lease_until timestamptz NOT NULL,
  expires_at timestamptz NOT NULL,
  phases jsonb,
  status integer,
  fields text,
  request_id text,
  body bytea
)`,
    `CREATE INDEX IF NOT EXISTS ${quoted(derivedName(names.table, 'expires_at'))} ON ${name} (expires_at)`,
  ]
}

/** IF NOT EXISTS looks first and makes later: of two that do so at once, one may still fail, and finds it the next time. */
async function patiently(step: () => Promise<unknown>): Promise<void> {
  for (let triesLeft = 5; ; triesLeft--) {
    try {
      await step()
      return
    } catch (error) {
      if (triesLeft === 0 || !madeByOthers.has(codeOf(error) ?? '')) throw error
    }
  }
}

const madeByOthers: ReadonlySet<string> = new Set([sqlstate.uniqueViolation, sqlstate.duplicateTable, sqlstate.duplicateObject])
