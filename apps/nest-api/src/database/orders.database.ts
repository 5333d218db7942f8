import { sqliteTransactionStore, type SqliteTransactionStore } from '@hopwise/sqlite'
import { Inject, Injectable, type OnApplicationShutdown } from '@nestjs/common'
import type { ConfigType } from '@nestjs/config'
import Libsql from 'libsql'
import { apiConfig } from '../api.config.js'

/**
 * One SQLite file with the orders and the keys of their requests: claim, order and stored response commit together, or not
 * at all. It is closed after the drain, when no request is left.
 */
@Injectable()
export class OrdersDatabase implements OnApplicationShutdown {
  /** For reading what is committed. */
  readonly reader: Libsql.Database
  /** Where the keys are; what a protected handler writes by, too. */
  readonly store: SqliteTransactionStore<Libsql.Database>

  constructor(@Inject(apiConfig.KEY) { database: path }: ConfigType<typeof apiConfig>) {
    // First: it opens the file for several processes, and waits where another instance does the same.
    this.store = sqliteTransactionStore({ open: () => new Libsql(path) })
    this.reader = new Libsql(path)
    this.reader.exec(`PRAGMA busy_timeout = 5000; CREATE TABLE IF NOT EXISTS orders (
      id INTEGER PRIMARY KEY,
      user TEXT NOT NULL,
      item TEXT NOT NULL,
      quantity INTEGER NOT NULL,
      request TEXT NOT NULL
    )`)
  }

  onApplicationShutdown(): void {
    this.store.close()
    this.reader.close()
  }
}
