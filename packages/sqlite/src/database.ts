import { errorText, HopwiseError } from '@hopwise/core'

/** What the store needs of a statement: `node:sqlite`, better-sqlite3 and libsql all have it. */
export interface SqliteStatement {
  /** The first row, or `undefined`. */
  get(...values: unknown[]): unknown
  all(...values: unknown[]): unknown[]
  run(...values: unknown[]): { readonly changes: number | bigint }
}

/** What the store needs of a database. */
export interface SqliteDatabase {
  exec(sql: string): unknown
  prepare(sql: string): SqliteStatement
  /** better-sqlite3 and libsql. */
  readonly inTransaction?: boolean
  /** `node:sqlite`. */
  readonly isTransaction?: boolean
}

/** A database that the store may close. */
export interface SqliteConnection extends SqliteDatabase {
  close(): unknown
}

/**
 * Refuses to work inside of somebody else's transaction: a claim that a ROLLBACK takes back would let its request run twice.
 * @throws HopwiseError `store-unusable`
 */
export function demandNoTransaction(database: SqliteDatabase, owner = 'sqliteStore'): void {
  if (database.inTransaction !== true && database.isTransaction !== true) return
  throw new HopwiseError(
    'store-unusable',
    `${owner}: the database is in the middle of a transaction of yours, which could take the store's writes back; give the store a connection of its own`,
  )
}

/**
 * Runs `steps` as one transaction that holds the write lock from its beginning, and takes all back where one of them throws.
 *
 * A single UPDATE needs it as well: libsql (0.5) leaves a prepared statement that met another connection's lock half run,
 * and then no COMMIT succeeds until it is run again. Here it is BEGIN that meets the lock.
 * @throws HopwiseError `store-unusable` inside of a transaction of the user
 */
export function immediately<T>(database: SqliteDatabase, steps: () => T): T {
  demandNoTransaction(database)
  database.exec('BEGIN IMMEDIATE')
  try {
    const result = steps()
    database.exec('COMMIT')
    return result
  } catch (error) {
    // Where this fails, the first error is still the one that tells.
    rollBack(database)
    throw error
  }
}

/** Ends whatever transaction is open, if any; false where the connection cannot be used any more. */
export function rollBack(database: SqliteDatabase): boolean {
  try {
    database.exec('ROLLBACK')
    return true
  } catch (error) {
    // SQLite rolls back by itself on a full disk or an I/O error, and a handler may have.
    return /no transaction is active/i.test(errorText(error))
  }
}

/** Whether SQLite failed because another connection holds a lock; the drivers share no code for it, only its text. */
export function isBusy(error: unknown): boolean {
  return error instanceof Error && /\b(locked|busy)\b/i.test(error.message)
}
