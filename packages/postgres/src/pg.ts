import type { Query, QueryResult } from './query.js'

/** What is needed of a `Pool`, `Client` or `PoolClient` of the package `pg`. */
export interface PgQueryable {
  query(text: string, values: unknown[]): Promise<QueryResult>
}

/**
 * Runs the store's statements on a pool, or on one client, of the package `pg`: unnamed statements, one round trip each. On a
 * client in the middle of a transaction of yours, a rollback would take the store's writes back: give it a pool.
 */
export function fromPg(poolOrClient: PgQueryable): Query {
  return (text, values) => poolOrClient.query(text, [...values])
}
