import type { QueryResult } from '../query.js'
import type { Connect } from './client.js'

/** What is needed of a `PoolClient` of the package `pg`. */
export interface PgPoolClient {
  query(text: string, values?: unknown[]): Promise<unknown>
  release(broken?: boolean): void
  on(event: 'error', listener: (error: Error) => void): unknown
  removeListener(event: 'error', listener: (error: Error) => void): unknown
}

/** What is needed of a `Pool` of the package `pg`. */
export interface PgPool<C extends PgPoolClient> {
  readonly connect: {
    (): Promise<C>
    (callback: never): void
  }
}

/** Takes the connections of the store's transactions from a pool of the package `pg`. */
export function pgTransactions<C extends PgPoolClient>(pool: PgPool<C>): Connect<C> {
  return async () => {
    const native = await pool.connect()
    // A connection that is lost while it is out of its pool would end the process; the next query tells of it anyway.
    const ignore = (): void => undefined
    native.on('error', ignore)
    return {
      native,
      async query(text, values) {
        const given = await (values === undefined ? native.query(text) : native.query(text, [...values]))
        return (Array.isArray(given) ? given.at(-1) : given) as QueryResult
      },
      release(broken = false) {
        native.removeListener('error', ignore)
        native.release(broken)
      },
    }
  }
}
