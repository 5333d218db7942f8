import { errorText, HopwiseError, type Duration } from '@hopwise/core'
import { rollBack, type SqliteConnection } from './database.js'
import { fileOf, openDatabase } from './open-database.js'
import { isDatabase } from './options.js'
import { createTable, prepareStatements, type Statements } from './schema.js'

/** A connection and the statements that are prepared on it. */
export interface Connection<D> {
  readonly database: D
  readonly statements: Statements
}

/** What a pool is made of. */
export interface PoolSettings<D> {
  /** For messages. */
  readonly owner: string
  readonly open: () => D
  readonly connections: number
  readonly table: string
  readonly synchronous: 'full' | 'normal'
}

/** A read waits for no writer, but after a crash for the process that repairs the WAL, which takes milliseconds. */
const readerPatience = 1_000 as Duration

/** The connections of a store: one for reading, and as many for transactions as are needed, up to `connections`. */
export class ConnectionPool<D extends SqliteConnection> {
  /** Never in a transaction of its own. */
  readonly reader: Connection<D>
  readonly #settings: PoolSettings<D>
  readonly #file: string
  readonly #all = new Set<D>()
  readonly #out = new Set<Connection<D>>()
  #idle: Connection<D>[] = []

  /** @throws HopwiseError `store-unusable` where the file cannot be opened or written, or the database is not in a file */
  constructor(settings: PoolSettings<D>) {
    this.#settings = settings
    const database = this.#opened()
    try {
      this.reader = this.#prepared(database, readerPatience)
      const file = fileOf(database)
      // A second connection to a database in memory would be another database.
      if (file === undefined) throw this.#unusable('"open" must open a database in a file, which all connections share')
      this.#file = file
    } catch (error) {
      this.#discard(database)
      throw error
    }
  }

  /** A connection that is in no transaction, to be given back; `undefined` where all are out. */
  take(): Connection<D> | undefined {
    const connection = this.#idle.pop() ?? (this.#out.size < this.#settings.connections ? this.#another() : undefined)
    if (connection !== undefined) this.#out.add(connection)
    return connection
  }

  /** Takes a connection back, ends whatever transaction is open on it, and replaces it where it is of no more use. */
  giveBack(connection: Connection<D>): void {
    // Not there after close, which has done this.
    if (!this.#out.delete(connection)) return
    if (rollBack(connection.database)) this.#idle.push(connection)
    else this.#discard(connection.database)
  }

  /** Closes every connection; what is not committed is taken back. */
  close(): void {
    for (const { database } of this.#out) rollBack(database)
    for (const database of this.#all) this.#discard(database)
    this.#out.clear()
    this.#idle = []
  }

  #another(): Connection<D> {
    const database = this.#opened()
    try {
      if (fileOf(database) !== this.#file) throw this.#unusable(`"open" opened ${fileOf(database)} after ${this.#file}`)
      return this.#prepared(database, 0 as Duration)
    } catch (error) {
      this.#discard(database)
      throw error
    }
  }

  #opened(): D {
    const { owner } = this.#settings
    const database = this.#open()
    if (!isDatabase(database) || typeof database.close !== 'function') {
      throw new HopwiseError('option-invalid', `${owner}: "open" must return a database of node:sqlite, better-sqlite3 or libsql`)
    }
    if (this.#all.has(database)) throw this.#unusable('"open" must open a new connection each time, and gave the same one twice')
    this.#all.add(database)
    return database
  }

  #open(): D {
    try {
      return this.#settings.open()
    } catch (error) {
      throw this.#unusable(`"open" failed: ${errorText(error)}`, error)
    }
  }

  #prepared(database: D, busyTimeout: Duration): Connection<D> {
    const { owner, table, synchronous } = this.#settings
    const isFirst = this.#all.size === 1
    const { prepared: statements } = openDatabase({ owner, database, table, busyTimeout, synchronous }, (opening) => {
      // By the first one only: it writes, and later a request of this very process may hold the lock.
      if (isFirst) createTable(opening, table)
      return prepareStatements(opening, table)
    })
    return { database, statements }
  }

  #discard(database: D): void {
    this.#all.delete(database)
    try {
      database.close()
    } catch {
      // The handler had closed it.
    }
  }

  #unusable(why: string, cause?: unknown): HopwiseError {
    return new HopwiseError('store-unusable', `${this.#settings.owner}: ${why}`, { cause })
  }
}
