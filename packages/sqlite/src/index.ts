/** Idempotency stores in a SQLite file, for the processes of one machine. */
export type { SqliteConnection, SqliteDatabase, SqliteStatement } from './database.js'
export type { SqliteStoreOptions } from './options.js'
export { sqliteStore, type SqliteStore } from './sqlite-store.js'
export type { SqliteTransactionStoreOptions } from './transaction-options.js'
export { sqliteTransactionStore, type SqliteTransactionStore } from './transaction-store.js'
