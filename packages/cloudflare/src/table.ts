/** The name of the table unless told otherwise. */
export const defaultTable = 'hopwise_idempotency'

/** What makes the table and the index by which a sweep finds what is over, unless they are there. `table` is an identifier. */
export function createTableSql(table: string): string {
  return `CREATE TABLE IF NOT EXISTS "${table}" (
  key TEXT NOT NULL PRIMARY KEY,
  state TEXT NOT NULL,
  fence INTEGER NOT NULL,
  owner TEXT NOT NULL,
  fingerprint TEXT NOT NULL,
  lease_until INTEGER NOT NULL,
  expires_at INTEGER NOT NULL,
  status INTEGER,
  fields TEXT,
  request_id TEXT,
  body BLOB,
  phases TEXT
) STRICT;
CREATE INDEX IF NOT EXISTS "${table}_expires_at" ON "${table}" (expires_at);
`
}
