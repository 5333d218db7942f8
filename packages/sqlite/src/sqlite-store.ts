import type { Claim, ClaimRequest, ClaimResult, Duration, Fields, IdempotencyStore, StoredResponse } from '@hopwise/core'
import { demandNoTransaction, immediately } from './database.js'
import { openDatabase } from './open-database.js'
import { readSqliteStoreOptions, type SqliteStoreOptions } from './options.js'
import { createTable, prepareStatements, type Row } from './schema.js'

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
  const { find, put, complete, renew, release, sweep } = prepared

  const look = (request: ClaimRequest, time: number): ClaimResult => decide(find.get(request.key, time) as Row | undefined, request, time)
  // The time is read when the lock is there, and not before a wait for it.
  const write = <T>(steps: (time: number) => T): T => immediately(database, () => steps(now()))

  const take = (request: ClaimRequest): ClaimResult =>
    write((time) => {
      const result = look(request, time)
      if (result.kind !== 'claimed') return result
      const leaseUntil = time + request.lease
      put.run(request.key, request.owner, result.fence, request.fingerprint, leaseUntil, Math.max(leaseUntil, time + request.retention))
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
    async release(claim) {
      return write((time) => changes(release.run(...holder(claim, time))) === 1)
    },
    async sweep(limit) {
      return write((time) => changes(sweep.run(time, limit)))
    },
    close,
  }
}

/** What a claim comes to, given the record that is there; `claimed` only says that the key may be taken, and with which fence. */
function decide(row: Row | undefined, { fingerprint, expired }: ClaimRequest, time: number): ClaimResult {
  if (row === undefined) return { kind: 'claimed', fence: 1 }
  const fence = Number(row.fence)
  if (row.state !== 'released') {
    if (row.fingerprint !== fingerprint) return { kind: 'mismatch' }
    if (row.state === 'done') return { kind: 'done', response: responseOf(row) }
    const leaseLeft = Number(row.lease_until) - time
    if (leaseLeft > 0) return { kind: 'pending', leaseLeft: leaseLeft as Duration }
    if (expired !== 'take' && expired !== fence) return { kind: 'expired', fence }
  }
  return { kind: 'claimed', fence: fence + 1 }
}

function responseOf({ status, fields, request_id: requestId, body }: Row): StoredResponse {
  return {
    status: Number(status),
    fields: JSON.parse(fields ?? '[]') as Fields,
    // A Buffer is copied, and may be a part of a pool; an ArrayBuffer is nobody else's.
    body: body === null ? null : new Uint8Array(body),
    requestId: requestId ?? undefined,
  }
}

function changes(result: { readonly changes: number | bigint }): number {
  return Number(result.changes)
}

function holder({ key, owner, fence }: Claim, time: number): [string, string, number, number] {
  return [key, owner, fence, time]
}
