import type { Listener, Query, QueryResult } from './query.js'

/** What is needed of the `sql` of the package `postgres`. */
export interface PostgresJsSql {
  unsafe(text: string, values?: unknown[], options?: { prepare?: boolean }): PromiseLike<readonly unknown[]>
}

/** What is needed of the `sql` of the package `postgres` to listen. */
export interface PostgresJsNotifying {
  listen(channel: string, notified: (payload: string) => void, listening?: () => void): Promise<{ unlisten(): Promise<void> }>
}

/**
 * Runs the store's statements on the `sql` of the package `postgres`. It prepares them unless you made it with
 * `prepare: false` (as pgbouncer before 1.21 needs it), so that each takes one round trip on a connection after its first
 * one; that one, and each one with `prepare: false`, takes a second round trip, in which the driver asks for the types.
 */
export function fromPostgresJs(sql: PostgresJsSql): Query {
  return async (text, values) => resultOf(await sql.unsafe(text, [...values], { prepare: values.length > 0 }))
}

/** Listens by the driver's own connection for that, which it brings back where it is lost. */
export function postgresJsListener(sql: PostgresJsNotifying): Listener {
  return {
    async listen(channel, notified, missed) {
      let before = false
      const { unlisten } = await sql.listen(channel, notified, () => {
        if (before) missed()
        before = true
      })
      return unlisten
    },
  }
}

/** The result of the last statement: of several, the driver gives a list of results. */
export function resultOf(given: readonly unknown[]): QueryResult {
  const last = given.at(-1)
  const result = (Array.isArray(last) ? last : given) as readonly unknown[] & { readonly command?: string; readonly count?: number }
  return { rows: [...result], command: result.command, rowCount: result.count }
}
