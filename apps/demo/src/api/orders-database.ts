import Libsql from 'libsql'

/** The part of better-sqlite3's shape that the demo uses; libsql has it with prebuilt binaries for Node 20 and newer. */
export interface OrdersDatabase {
  exec(sql: string): unknown
  prepare(sql: string): { run(...values: unknown[]): { changes: number | bigint; lastInsertRowid: number | bigint }; all(...values: unknown[]): unknown[]; get(...values: unknown[]): unknown }
  close(): void
}

/**
 * Opens the orders of one side; both its instances share the file.
 * @throws Error with one sentence where the file cannot be written
 */
export function openOrders(path: string): OrdersDatabase {
  try {
    const database = new Libsql(path) as OrdersDatabase
    database.exec('PRAGMA busy_timeout = 2000; PRAGMA journal_mode = WAL; PRAGMA synchronous = NORMAL')
    database.exec(`CREATE TABLE IF NOT EXISTS orders (
      id INTEGER PRIMARY KEY,
      reference TEXT NOT NULL,
      item TEXT NOT NULL
    )`)
    return database
  } catch (error) {
    throw new Error(`the orders database ${path} cannot be written: ${error instanceof Error ? error.message : String(error)}`, { cause: error })
  }
}
