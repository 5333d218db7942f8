/** What came of one statement. */
export interface QueryResult {
  readonly rows: readonly unknown[]
  /** The first word of the server's command tag, e.g. `COMMIT`. */
  readonly command?: string | undefined
  readonly rowCount?: number | null | undefined
}

/**
 * Runs one statement on any connection, each call for itself: nothing is expected of the session, so that a pool behind
 * pgbouncer in transaction mode will do. Values stand for `$1`, `$2` and so on: text, numbers, `null`, or bytes.
 */
export type Query = (text: string, values: readonly unknown[]) => Promise<QueryResult>

/** A source of notifications, with a connection of its own that it brings back where it is lost. */
export interface Listener {
  /**
   * Listens on `channel` from the moment at which this resolves until the function that it gives is called.
   * @param notified called with the payload of each notification
   * @param missed called when the connection is back after it was lost: notifications may have been missed
   */
  listen(channel: string, notified: (payload: string) => void, missed: () => void): Promise<() => Promise<void>>
}
