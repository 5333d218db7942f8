import type { Claim, ClaimRequest, SavedPhases } from '@hopwise/core'
import { immediately, type SqliteDatabase, type SqliteStatement } from './database.js'

/** The statements of the store, each prepared once; the order of their values is that of their question marks. */
export interface Statements {
  readonly find: SqliteStatement
  readonly put: SqliteStatement
  readonly complete: SqliteStatement
  readonly renew: SqliteStatement
  readonly phasesOf: SqliteStatement
  readonly savePhases: SqliteStatement
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
  /** An object of names and texts, as JSON. */
  readonly phases: string | null
}

/**
 * Makes the table and the index by which a sweep finds what is over, unless they are there, and brings a table of an
 * earlier version up to date. `table` is an identifier.
 */
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
      body BLOB,
      phases TEXT
    ) STRICT;
    CREATE INDEX IF NOT EXISTS "${table}_expires_at" ON "${table}" (expires_at);
  `)
  if (hasPhases(database, table)) return
  immediately(database, () => {
    // Another process may have been first.
    if (!hasPhases(database, table)) database.exec(`ALTER TABLE "${table}" ADD COLUMN phases TEXT`)
  })
}

/** The tables of version 0.0 had no such column. */
function hasPhases(database: SqliteDatabase, table: string): boolean {
  const columns = database.prepare(`PRAGMA table_info("${table}")`).all() as { readonly name: string }[]
  return columns.some(({ name }) => name === 'phases')
}

/** Prepares the statements for the table, which must be there. */
export function prepareStatements(database: SqliteDatabase, table: string): Statements {
  // A holder keeps its rights after its lease, but not after its record.
  const held = "key = ? AND owner = ? AND fence = ? AND state = 'pending' AND expires_at > ?"
  return {
    find: database.prepare(`
      SELECT state, fence, fingerprint, lease_until, status, fields, request_id, body, phases
      FROM "${table}" WHERE key = ? AND expires_at > ?`),
    put: database.prepare(`
      INSERT OR REPLACE INTO "${table}" (key, owner, fence, fingerprint, lease_until, expires_at, phases, state)
      VALUES (?, ?, ?, ?, ?, ?, ?, 'pending')`),
    complete: database.prepare(`
      UPDATE "${table}" SET state = 'done', status = ?, fields = ?, request_id = ?, body = ?, expires_at = ?, phases = NULL WHERE ${held}`),
    renew: database.prepare(`UPDATE "${table}" SET lease_until = ?, expires_at = max(expires_at, ?) WHERE ${held}`),
    phasesOf: database.prepare(`SELECT phases FROM "${table}" WHERE ${held}`),
    savePhases: database.prepare(`UPDATE "${table}" SET phases = ? WHERE ${held}`),
    release: database.prepare(`UPDATE "${table}" SET state = 'released', phases = NULL WHERE ${held}`),
    sweep: database.prepare(`
      DELETE FROM "${table}" WHERE rowid IN (SELECT rowid FROM "${table}" WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`),
  }
}

/** The values of {@link Statements.put} for a claim that was decided to succeed. */
export function putValues(request: ClaimRequest, { fence, phases }: { readonly fence: number; readonly phases?: SavedPhases }, time: number) {
  const leaseUntil = time + request.lease
  const kept = phases === undefined ? null : JSON.stringify(phases)
  return [request.key, request.owner, fence, request.fingerprint, leaseUntil, Math.max(leaseUntil, time + request.retention), kept]
}

/** The last values of a statement that only the holder of a key may run. */
export function holder({ key, owner, fence }: Claim, time: number): [string, string, number, number] {
  return [key, owner, fence, time]
}

/** How many rows a statement changed. */
export function changes(result: { readonly changes: number | bigint }): number {
  return Number(result.changes)
}
