/** An idempotency store in a SQLite file, for the processes of one machine. */
export type { SqliteDatabase, SqliteStatement } from './database.js'
export type { SqliteStoreOptions } from './options.js'
export { sqliteStore, type SqliteStore } from './sqlite-store.js'
