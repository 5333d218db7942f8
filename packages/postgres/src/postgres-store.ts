import type { Claim, IdempotencyStore } from '@hopwise/core'
import { takeAny, takeNone } from './claim-sql.js'
import { qualified } from './identifier.js'
import { readPostgresStoreOptions, type PostgresStoreOptions } from './options.js'
import type { Query } from './query.js'
import { phaseName, resultOf, type ClaimRow } from './rows.js'
import { codeOf, explained, sqlstate } from './sqlstate.js'
import { channel, writeStatements } from './statements.js'
import { sweptIn } from './sweep.js'
import { shareListener } from './watchers.js'

/** An idempotency store in a PostgreSQL table, with leases. */
export type PostgresStore = IdempotencyStore & {
  /** Ends listening, if the store was told to listen and did. The pool stays yours to end. */
  close(): Promise<void>
}

/**
 * A store in a PostgreSQL table, with leases: the handler's own effects may be anywhere. Each operation is one statement,
 * one round trip, and decided by the database's clock. No session state is used, so that any pool will do, also behind
 * pgbouncer in transaction mode.
 *
 * The table must be there: see {@link createTable}.
 * @throws HopwiseError `option-unknown`, `option-invalid`. An operation rejects with `store-unusable` where the table is
 * not there, and with the driver's error where the database cannot be reached
 *
 * @example
 * const store = postgresStore({ query: fromPg(new Pool()) })
 */
export function postgresStore(options: PostgresStoreOptions): PostgresStore {
  const { query: ask, listen, ...names } = readPostgresStoreOptions(options)
  const statements = writeStatements(names, listen !== undefined)
  const table = qualified(names)
  const query: Query = (text, values) => ask(text, values).catch((error: unknown) => Promise.reject(explained(error, table)))
  const changes = async (text: string, { key, owner, fence }: Claim, ...values: readonly unknown[]): Promise<boolean> =>
    (await query(text, [key, owner, fence, ...values])).rows.length === 1
  const watchers = listen && shareListener(listen, channel)

  return {
    async claim({ key, owner, fingerprint, lease, retention, expired }) {
      const takes = expired === 'take' ? takeAny : expired === 'report' ? takeNone : Math.max(expired, takeNone)
      const row = await untilSeen(query, statements.claim, [key, owner, fingerprint, lease, retention, takes])
      return resultOf(row)
    },
    complete: (claim, { status, fields, requestId, body }, retention) =>
      changes(statements.complete, claim, status, JSON.stringify(fields), requestId ?? null, body, retention),
    renew: (claim, lease) => changes(statements.renew, claim, lease),
    savePhase: (claim, name, value) => changes(statements.savePhase, claim, phaseName(name), value),
    release: (claim) => changes(statements.release, claim),
    sweep: async (limit) => sweptIn((await query(statements.sweep, [limit])).rows),
    ...(watchers && { watch: (key: string, wake: () => void) => watchers.watch(key, wake) }),
    close: async () => watchers?.close(),
  }
}

/** Each time, somebody else must have changed the key in the same moment; once is common in a burst, twice is rare. */
const claimTries = 10

/**
 * Runs the claim until it sees the record that decided it. READ COMMITTED gives no row where that record is younger than
 * the statement's snapshot; a database whose default is a stricter isolation fails instead, and the same helps.
 */
async function untilSeen(query: Query, text: string, values: readonly unknown[]): Promise<ClaimRow> {
  for (let triesLeft = claimTries; triesLeft > 0; triesLeft--) {
    try {
      const { rows } = await query(text, values)
      if (rows[0] !== undefined) return rows[0] as ClaimRow
    } catch (error) {
      if (codeOf(error) !== sqlstate.serializationFailure || triesLeft === 1) throw error
    }
  }
  throw new Error(`the key was changed by others in each of ${claimTries} attempts to claim it`)
}
