import { durationField, functionField, integerField, parseOptions, type DurationInput } from '@hopwise/core'
import type { SqliteConnection } from './database.js'
import { sharedFields, wholeMilliseconds } from './options.js'

/** The options of {@link sqliteTransactionStore}. */
export interface SqliteTransactionStoreOptions<D extends SqliteConnection> {
  /**
   * Opens a new connection to the one database file that has both the keys and what the handlers write; called once for
   * each connection, the first time at construction. The store sets `journal_mode`, `synchronous` and `busy_timeout` on
   * it, and closes it.
   */
  readonly open: () => D
  /**
   * How many connections transactions may hold at most, opened as they are needed; one more is for reading. Two are
   * enough, since SQLite has one writer: one that runs and one that waits. More are of use only where handlers end their
   * transaction before their response. Range 1 to 64. [4]
   */
  readonly connections?: number
  /** How long a claim waits for the write lock before it says "pending". The event loop goes on meanwhile. Range 0 to 10 min. ['10s'] */
  readonly waitsAtMost?: DurationInput
  /** The table, made where it is missing: letters, digits and `_`, at most 60, not beginning with a digit or `sqlite_`. ['hopwise_idempotency'] */
  readonly table?: string
  /** As for `sqliteStore`, and for the handlers' own writes as well. ['full'] */
  readonly synchronous?: 'full' | 'normal'
  /** Milliseconds since 1970: give another clock in tests only. [Date.now] */
  readonly now?: () => number
}

/**
 * Reads the options once.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function readTransactionOptions<D extends SqliteConnection>(options: SqliteTransactionStoreOptions<D>) {
  const { now = Date.now, ...given } = parseOptions('sqliteTransactionStore', options, {
    open: { ...functionField<() => D>('a function that opens a new connection to the database file'), required: true as const },
    connections: integerField({ min: 1, max: 64, default: 4 }),
    waitsAtMost: durationField({ max: '10m', default: '10s' }),
    ...sharedFields,
  })
  return { ...given, owner: 'sqliteTransactionStore', now: wholeMilliseconds(now) }
}
