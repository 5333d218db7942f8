import type { SqliteDatabase, SqliteStatement } from './database.js'

/** The statements of the store, each prepared once; the order of their values is that of their question marks. */
export interface Statements {
  readonly find: SqliteStatement
  readonly put: SqliteStatement
  readonly complete: SqliteStatement
  readonly renew: SqliteStatement
  readonly release: SqliteStatement
  readonly sweep: SqliteStatement
}

/** A row as {@link Statements.find} gives it. Integers may be bigint, where the database was told so; a blob is whatever the driver has. */
export interface Row {
  readonly state: 'pending' | 'released' | 'done'
  readonly fence: number | bigint
  readonly fingerprint: string
  readonly lease_until: number | bigint
  readonly status: number | bigint | null
  readonly fields: string | null
  readonly request_id: string | null
  readonly body: Uint8Array | ArrayBuffer | null
}

/** Makes the table and the index by which a sweep finds what is over, unless they are there. `table` is an identifier. */
export function createTable(database: SqliteDatabase, table: string): void {
  database.exec(`
    CREATE TABLE IF NOT EXISTS "${table}" (
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
      body BLOB
    ) STRICT;
    CREATE INDEX IF NOT EXISTS "${table}_expires_at" ON "${table}" (expires_at);
  `)
}

/** Prepares the statements for the table, which must be there. */
export function prepareStatements(database: SqliteDatabase, table: string): Statements {
  // A holder keeps its rights after its lease, but not after its record.
  const held = "key = ? AND owner = ? AND fence = ? AND state = 'pending' AND expires_at > ?"
  return {
    find: database.prepare(`
      SELECT state, fence, fingerprint, lease_until, status, fields, request_id, body
      FROM "${table}" WHERE key = ? AND expires_at > ?`),
    put: database.prepare(`
      INSERT OR REPLACE INTO "${table}" (key, owner, fence, fingerprint, lease_until, expires_at, state)
      VALUES (?, ?, ?, ?, ?, ?, 'pending')`),
    complete: database.prepare(`
      UPDATE "${table}" SET state = 'done', status = ?, fields = ?, request_id = ?, body = ?, expires_at = ? WHERE ${held}`),
    renew: database.prepare(`UPDATE "${table}" SET lease_until = ?, expires_at = max(expires_at, ?) WHERE ${held}`),
    release: database.prepare(`UPDATE "${table}" SET state = 'released' WHERE ${held}`),
    sweep: database.prepare(`
      DELETE FROM "${table}" WHERE rowid IN (SELECT rowid FROM "${table}" WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`),
  }
}
