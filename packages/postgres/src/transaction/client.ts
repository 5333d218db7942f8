import type { QueryResult } from '../query.js'

/**
 * One connection, from the moment at which it is taken out of a pool until it is given back. Your own may be made of
 * anything that runs SQL on one connection.
 */
export interface TransactionClient<Native = unknown> {
  /** What the driver calls it, for query builders: a `PoolClient` of pg, a `TransactionSql` of postgres.js. */
  readonly native: Native
  /**
   * Runs `text` with `values` for `$1`, `$2` and so on. Without values, `text` may be several statements, which go in one
   * message (the simple protocol); the result is that of the last one.
   */
  query(text: string, values?: readonly unknown[]): Promise<QueryResult>
  /** Gives the connection back; a broken one is destroyed instead. Called once. */
  release(broken?: boolean): void
}

/** The open transaction of a handler: the store itself ends it, and gives the connection back. */
export type HandlerTransaction<Native = unknown> = Omit<TransactionClient<Native>, 'release'>

/** Takes a connection out of a pool, waiting for one as long as the pool does. */
export type Connect<Native = unknown> = () => Promise<TransactionClient<Native>>
