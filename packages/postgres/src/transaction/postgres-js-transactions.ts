import { resultOf, type PostgresJsSql } from '../postgres-js.js'
import type { QueryResult } from '../query.js'
import type { Connect, TransactionClient } from './client.js'

/** What is needed of the `sql` of the package `postgres`. */
export interface PostgresJsBeginning<T extends PostgresJsSql> {
  readonly begin: {
    (work: (transaction: T) => Promise<void>): Promise<unknown>
    (options: never, work: never): Promise<unknown>
  }
}

/**
 * Takes the connections of the store's transactions from the `sql` of the package `postgres`.
 *
 * By `sql.begin`, and not by `sql.reserve`, which would save a round trip: postgres.js 3.4.9 ends the process where
 * `reserve` cannot connect (porsager/postgres#1028), and where a reserved connection is used after it was lost (#1208, #1199).
 */
export function postgresJsTransactions<T extends PostgresJsSql>(sql: PostgresJsBeginning<T>): Connect<T> {
  return () =>
    new Promise((resolve, reject) => {
      const connection: Connection = { isLost: false, lost: new Promise(() => undefined) }
      const work = (native: T): Promise<void> => new Promise((finish) => resolve(clientOf(native, connection, finish)))
      const begun = sql.begin(work)
      connection.lost = begun.then(never)
      begun.catch((error: unknown) => {
        // Before the work began: no connection. Afterwards: it was lost.
        connection.isLost = true
        reject(error)
      })
      connection.lost.catch(ignore)
    })
}

interface Connection {
  isLost: boolean
  /** Rejects when it is. */
  lost: Promise<never>
}

/** A text whose last statement ends a transaction, apart from it. */
const ending = /^(?:([^]*);)?\s*(COMMIT|END|ROLLBACK|ABORT)\s*;?\s*$/i

/**
 * The driver takes the connection back at the first answer that says that no transaction is open, whether the work is
 * finished or not, and gives it to others. So one is open always: each that begins is begun in the text that ends the
 * driver's, and each that ends is followed in the same text by one for the driver to end.
 */
function clientOf<T extends PostgresJsSql>(native: T, connection: Connection, finish: () => void): TransactionClient<T> {
  /** After a COMMIT that failed no transaction is open. */
  let takenBack = false
  // A query that is sent while the connection breaks may be forgotten by the driver.
  const answer = (query: PromiseLike<readonly unknown[]>): Promise<readonly unknown[]> => Promise.race([query, connection.lost])

  async function end(before: string | undefined, last: string): Promise<QueryResult> {
    // Together, since the driver does not wait for one answer before it sends the next; apart, to know which one failed.
    const [first, second] = await Promise.allSettled([before && answer(native.unsafe(before)), answer(native.unsafe(`${last};\nBEGIN`))])
    if (second.status === 'rejected') takenBack = true
    if (first.status === 'rejected') throw first.reason
    if (second.status === 'rejected') throw second.reason
    return resultOf(second.value.slice(0, 1))
  }

  return {
    native,
    async query(text, values) {
      if (connection.isLost) return connection.lost
      const [, before, last] = values === undefined ? (ending.exec(text) ?? []) : []
      if (takenBack) {
        if (last !== undefined && before === undefined) return { rows: [] }
        throw new Error('the transaction is over: its COMMIT failed')
      }
      if (values !== undefined) return resultOf(await answer(native.unsafe(text, [...values], { prepare: true })))
      if (last !== undefined) return end(before, last)
      return resultOf(await answer(native.unsafe(/^\s*BEGIN\b/i.test(text) ? `ROLLBACK;\n${text}` : text)))
    },
    release(broken = false) {
      // Neither a lost connection nor one that others have may be used by the driver to end our transaction.
      if (takenBack || connection.isLost) return
      if (broken) void native.unsafe('SELECT pg_terminate_backend(pg_backend_pid())').then(ignore, ignore)
      else finish()
    },
  }
}

function ignore(): void {}

function never(): Promise<never> {
  return new Promise(() => undefined)
}
