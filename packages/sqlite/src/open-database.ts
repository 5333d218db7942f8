import { errorText, HopwiseError, type Duration } from '@hopwise/core'
import { demandNoTransaction, isBusy, type SqliteDatabase } from './database.js'
import type { SqliteStoreSettings } from './options.js'

/** A database that is ready for the store, and what the set-up made in it. */
export interface OpenDatabase<T> {
  readonly database: SqliteDatabase
  readonly prepared: T
  /** Closes it if the store opened it; does nothing the second time. */
  close(): void
}

interface NodeSqlite {
  readonly DatabaseSync: new (path: string) => SqliteDatabase & { close(): void }
}

/** Processes that start together on a new file wait for each other's set-up for this long, whatever `busyTimeout` is. */
const setUpPatience = 5_000 as Duration

/**
 * Opens the database where a path is given, switches it to WAL, and lets `setUp` make what it needs in it.
 * @throws HopwiseError `runtime-unsupported` where a path is given and the runtime has no `node:sqlite`;
 * `store-unusable` where the file cannot be opened or written, naming it
 */
export function openDatabase<T>(settings: SqliteStoreSettings, setUp: (database: SqliteDatabase) => T): OpenDatabase<T> {
  const { database: given, table, busyTimeout, synchronous } = settings
  const opened = typeof given === 'string' ? openFile(given, table) : undefined
  const database = opened ?? (given as SqliteDatabase)
  let isOpen = opened !== undefined
  const close = (): void => {
    if (isOpen) opened?.close()
    isOpen = false
  }
  try {
    demandNoTransaction(database)
    database.exec(`PRAGMA busy_timeout = ${setUpPatience}`)
    const prepared = patiently(() => {
      // Readers go on during a write, and a write is one append to one file.
      database.exec('PRAGMA journal_mode = WAL')
      database.exec(`PRAGMA synchronous = ${synchronous}`)
      return setUp(database)
    })
    database.exec(`PRAGMA busy_timeout = ${busyTimeout}`)
    return { database, prepared, close }
  } catch (error) {
    const name = typeof given === 'string' ? given : fileOf(database)
    close()
    throw error instanceof HopwiseError ? error : unusable(name, table, error)
  }
}

function openFile(path: string, table: string): SqliteDatabase & { close(): void } {
  const { DatabaseSync } = nodeSqlite()
  try {
    return new DatabaseSync(path)
  } catch (error) {
    throw unusable(path, table, error)
  }
}

function nodeSqlite(): NodeSqlite {
  // Not an import: that would fail on a runtime without node:sqlite before a database could be handed in.
  const module = globalThis.process?.getBuiltinModule?.('node:sqlite') as NodeSqlite | undefined
  if (module !== undefined) return module
  throw new HopwiseError(
    'runtime-unsupported',
    'sqliteStore: this runtime has no node:sqlite (Node 22.13 and later have it) to open a path with; hand in a database instead: `npm i libsql`, then `database: new Database(path)`',
  )
}

/**
 * Repeats `step` while another process holds a lock. SQLite's own busy timeout does not cover the switch of a new file to
 * WAL while another connection writes: it fails at once.
 */
function patiently<T>(step: () => T): T {
  const until = performance.now() + setUpPatience
  for (;;) {
    try {
      return step()
    } catch (error) {
      if (!isBusy(error) || performance.now() >= until) throw error
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5)
    }
  }
}

function unusable(name: string, table: string, error: unknown): HopwiseError {
  const text = errorText(error)
  const hint = hints.find(([pattern]) => pattern.test(text))?.[1] ?? ''
  return new HopwiseError('store-unusable', `sqliteStore: the database ${name} cannot be used${hint.replace('%', table)}: ${text}`, { cause: error })
}

/** What SQLite's words mean for whoever starts a process. */
const hints: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/unable to open|readonly|read-only/i, ', this process must be able to write the file and its directory'],
  [/no such column|has no column/i, ', its table "%" is not one of this store'],
]

/** The file behind a database that was handed in, for a message. */
function fileOf(database: SqliteDatabase): string {
  try {
    const list = database.prepare('PRAGMA database_list').all() as { readonly name: string; readonly file: string | null }[]
    return list.find(({ name }) => name === 'main')?.file || 'that was handed in'
  } catch {
    return 'that was handed in'
  }
}
