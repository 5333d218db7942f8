import { errorText, HopwiseError, type Duration } from '@hopwise/core'
import { demandNoTransaction, isBusy, type SqliteDatabase } from './database.js'

/** What is opened, and how. */
export interface OpenSettings {
  /** The function whose options these are, for messages. */
  readonly owner: string
  readonly database: string | SqliteDatabase
  readonly table: string
  readonly busyTimeout: Duration
  readonly synchronous: 'full' | 'normal'
}

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
export function openDatabase<T>(settings: OpenSettings, setUp: (database: SqliteDatabase) => T): OpenDatabase<T> {
  const { owner, database: given, busyTimeout, synchronous } = settings
  const opened = typeof given === 'string' ? openFile(given, settings) : undefined
  const database = opened ?? (given as SqliteDatabase)
  let isOpen = opened !== undefined
  const close = (): void => {
    if (isOpen) opened?.close()
    isOpen = false
  }
  try {
    demandNoTransaction(database, owner)
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
    const name = typeof given === 'string' ? given : (fileOf(database) ?? 'that was handed in')
    close()
    throw error instanceof HopwiseError ? error : unusable(name, settings, error)
  }
}

function openFile(path: string, settings: OpenSettings): SqliteDatabase & { close(): void } {
  const { DatabaseSync } = nodeSqlite()
  try {
    return new DatabaseSync(path)
  } catch (error) {
    throw unusable(path, settings, error)
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

function unusable(name: string, { owner, table }: OpenSettings, error: unknown): HopwiseError {
  const text = errorText(error)
  const hint = hints.find(([pattern]) => pattern.test(text))?.[1] ?? ''
  return new HopwiseError('store-unusable', `${owner}: the database ${name} cannot be used${hint.replace('%', table)}: ${text}`, { cause: error })
}

/** What SQLite's words mean for whoever starts a process. */
const hints: readonly (readonly [pattern: RegExp, hint: string])[] = [
  [/unable to open|readonly|read-only/i, ', this process must be able to write the file and its directory'],
  [/no such column|has no column/i, ', its table "%" is not one of this store'],
]

/** The file behind a database that was handed in; `undefined` where it is in memory, or does not say. */
export function fileOf(database: SqliteDatabase): string | undefined {
  try {
    const list = database.prepare('PRAGMA database_list').all() as { readonly name: string; readonly file: string | null }[]
    return list.find(({ name }) => name === 'main')?.file || undefined
  } catch {
    return undefined
  }
}
