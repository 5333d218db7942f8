import type { ClaimRequest, ClaimResult, IdempotencyStore } from '@hopwise/core'
import { demandNoTransaction, immediately } from './database.js'
import { decide, phasesFrom } from './decide.js'
import { openDatabase } from './open-database.js'
import { readSqliteStoreOptions, type SqliteStoreOptions } from './options.js'
import { changes, createTable, holder, prepareStatements, putValues, type Row } from './schema.js'

/** An idempotency store in a SQLite file. */
export type SqliteStore = IdempotencyStore & {
  /** Closes the database if the store opened it from a path; one that was handed in stays open. Further calls do nothing. */
  close(): void
}

/**
 * A store in a SQLite file: for the processes of one machine, which share it, and for restarts, which it outlives.
 *
 * SQLite is synchronous: an operation blocks the event loop while it runs, and for up to `busyTimeout` where another
 * process writes; beyond that it rejects (the engine then answers 503). Each new claim removes two records whose
 * retention is over, so that the file stays bounded with no timer.
 *
 * @throws HopwiseError `option-unknown`, `option-invalid`; `store-unusable` where the file cannot be opened or written;
 * `runtime-unsupported` where a path is given and the runtime has no `node:sqlite`. An operation rejects with
 * `store-unusable` while a transaction of yours is open on the same connection
 *
 * @example
 * const store = sqliteStore({ database: '/var/lib/orders/idempotency.db' })
 */
export function sqliteStore(options: SqliteStoreOptions): SqliteStore {
  const settings = readSqliteStoreOptions(options)
  const { now, table } = settings
  const { database, prepared, close } = openDatabase(settings, (opening) => {
    createTable(opening, table)
    return prepareStatements(opening, table)
  })
  const { find, put, complete, renew, phasesOf, savePhases, release, sweep } = prepared

  const look = (request: ClaimRequest, time: number): ClaimResult => decide(find.get(request.key, time) as Row | undefined, request, time)
  // The time is read when the lock is there, and not before a wait for it.
  const write = <T>(steps: (time: number) => T): T => immediately(database, () => steps(now()))

  const take = (request: ClaimRequest): ClaimResult =>
    write((time) => {
      const result = look(request, time)
      if (result.kind !== 'claimed') return result
      put.run(...putValues(request, result, time))
      // Two for each new one: what is over is gone sooner than new keys come.
      sweep.run(time, 2)
      return result
    })

  return {
    async claim(request) {
      demandNoTransaction(database)
      // Replays and refusals are decided by one read, which waits for no writer.
      const result = look(request, now())
      return result.kind === 'claimed' ? take(request) : result
    },
    async complete(claim, { status, fields, requestId, body }, retention) {
      const text = JSON.stringify(fields)
      return write((time) => changes(complete.run(status, text, requestId ?? null, body, time + retention, ...holder(claim, time))) === 1)
    },
    async renew(claim, lease) {
      return write((time) => changes(renew.run(time + lease, time + lease, ...holder(claim, time))) === 1)
    },
    async savePhase(claim, name, value) {
      return write((time) => {
        const row = phasesOf.get(...holder(claim, time)) as Pick<Row, 'phases'> | undefined
        return row !== undefined && changes(savePhases.run(JSON.stringify({ ...phasesFrom(row), [name]: value }), ...holder(claim, time))) === 1
      })
    },
    async release(claim) {
      return write((time) => changes(release.run(...holder(claim, time))) === 1)
    },
    async sweep(limit) {
      return write((time) => changes(sweep.run(time, limit)))
    },
    close,
  }
}
