import { durationField, functionField, parseOptions, valueField, wordField, type DurationInput } from '@hopwise/core'
import type { SqliteDatabase } from './database.js'

/** The options of {@link sqliteStore}. */
export interface SqliteStoreOptions {
  /**
   * The path of a database file, or `':memory:'`, which this runtime's `node:sqlite` opens; or a database that you opened
   * yourself: a `DatabaseSync` of `node:sqlite`, or a `Database` of better-sqlite3 or libsql. Best one of its own: the
   * store sets `journal_mode`, `synchronous` and `busy_timeout` on it, and fails while you are in a transaction on it.
   */
  readonly database: string | SqliteDatabase
  /** The table, made where it is missing: letters, digits and `_`, at most 60, not beginning with a digit or `sqlite_`. ['hopwise_idempotency'] */
  readonly table?: string
  /** How long an operation waits for another process's write; the event loop stands still meanwhile. Range 0 to 60 s. ['250ms'] */
  readonly busyTimeout?: DurationInput
  /**
   * `'full'` waits for the disk on each write. `'normal'` does not: several times as many writes a second, but a power
   * cut may take back the last of them, and a payment that was made and forgotten is made again by its retry. A killed
   * process loses nothing either way. ['full']
   */
  readonly synchronous?: 'full' | 'normal'
  /**
   * Milliseconds since 1970. A file is used by processes of one machine only, so that machine's clock is the one clock of
   * them all: give another one in tests only. [Date.now]
   */
  readonly now?: () => number
}

/**
 * Reads the options once.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function readSqliteStoreOptions(options: SqliteStoreOptions) {
  const { now = Date.now, ...given } = parseOptions('sqliteStore', options, {
    database: {
      ...valueField<string | SqliteDatabase>(
        'the path of a database file, ":memory:", or a database of node:sqlite, better-sqlite3 or libsql',
        (value) => (typeof value === 'string' && value !== '') || isDatabase(value),
      ),
      required: true as const,
    },
    busyTimeout: durationField({ max: '60s', default: '250ms' }),
    ...sharedFields,
  })
  return { ...given, owner: 'sqliteStore', now: wholeMilliseconds(now) }
}

/** The options that both stores have. */
export const sharedFields = {
  table: {
    ...valueField<string>(
      'a table name of letters, digits and "_", at most 60, not beginning with a digit or "sqlite_"',
      (value) => typeof value === 'string' && /^(?!sqlite_)[a-z_][a-z0-9_]{0,59}$/i.test(value),
    ),
    default: 'hopwise_idempotency',
  },
  synchronous: wordField(['full', 'normal'], 'full'),
  now: functionField<() => number>('a function that returns milliseconds since 1970'),
}

/** The clock as the columns need it. */
export function wholeMilliseconds(now: () => number): () => number {
  return () => Math.floor(now())
}

/** Whether a value has the methods of a database. */
export function isDatabase(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false
  const { exec, prepare } = value as Record<string, unknown>
  return typeof exec === 'function' && typeof prepare === 'function'
}
