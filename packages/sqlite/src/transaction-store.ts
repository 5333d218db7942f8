import { HopwiseError, errorText, type Claim, type ClaimRequest, type ClaimResult, type Duration, type IdempotencyStore } from '@hopwise/core'
import { ConnectionPool, type Connection } from './connection-pool.js'
import type { SqliteConnection } from './database.js'
import { decide } from './decide.js'
import { guard } from './guard.js'
import { changes, holder, putValues, type Row } from './schema.js'
import { readTransactionOptions, type SqliteTransactionStoreOptions } from './transaction-options.js'
import { WriteLock } from './write-lock.js'

/** An idempotency store in a SQLite file in which a handler's own writes and its result commit together. */
export interface SqliteTransactionStore<D extends SqliteConnection = SqliteConnection> extends IdempotencyStore {
  readonly transactional: { readonly waitsAtMost: Duration }
  /**
   * The connection of a claimed request, for its handler: what it writes there is kept together with the result, or not at
   * all. It and its statements refuse to work once the result is stored or the request released.
   * @throws HopwiseError `store-unusable` where `transaction` is not one of this store's, or is over
   */
  databaseOf(transaction: unknown): D
  /** Closes all connections; requests that run are rolled back, claims that wait reject. Further calls do nothing. */
  close(): void
}

/** A request that holds the write lock. */
interface Run<D> {
  readonly claim: Claim
  readonly connection: Connection<D>
  readonly database: D
}

/** Shows whether the transaction is still the one that the claim opened: a COMMIT or ROLLBACK of the handler's ends it. */
const savepoint = 'hopwise_request'

/** What a claim hears that got no lock in time; how long the others take, nobody knows. */
const lookAgain = 1_000 as Duration

/**
 * A store in the SQLite file that the handlers write to: claim, effects and result are one transaction. A crash leaves
 * nothing, so that there is no lease to run out, and a retry runs exactly once.
 *
 * SQLite has one writer: protected requests run one after another, each from its claim to its response, over all
 * processes that share the file. A claim that meets the write lock waits in a queue while the event loop goes on; replays
 * and mismatches do not wait. Since everything rolls back together, a saved phase and the fence do not outlive their run.
 *
 * @throws HopwiseError `option-unknown`, `option-invalid`; `store-unusable` where the file cannot be opened or written.
 * `complete` and `release` reject with `store-unusable` where the handler ended the transaction itself
 *
 * @example
 * const store = sqliteTransactionStore({ open: () => new Database('/var/lib/orders/orders.db') })
 */
export function sqliteTransactionStore<D extends SqliteConnection>(options: SqliteTransactionStoreOptions<D>): SqliteTransactionStore<D> {
  const { now, waitsAtMost, ...settings } = readTransactionOptions(options)
  const pool = new ConnectionPool(settings)
  const lock = new WriteLock(pool)
  const runs = new Map<string, Run<D>>()
  const transactions = new WeakMap<object, Run<D>>()
  let isClosed = false

  const unusable = (why: string, cause?: unknown) => new HopwiseError('store-unusable', `${settings.owner}: ${why}`, { cause })
  const demandOpen = (): void => {
    if (isClosed) throw unusable('the store is closed')
  }
  const demandRunning = ({ claim }: Run<D>): void => {
    if (!runs.has(claim.owner)) throw unusable('the transaction is over: the result of its request is stored, or it was released')
  }
  const look = ({ statements }: Connection<D>, request: ClaimRequest, time: number): ClaimResult =>
    decide(statements.find.get(request.key, time) as Row | undefined, request, time)

  /** Decides with the lock held, and keeps it where the request is to run. */
  const take = (request: ClaimRequest, connection: Connection<D>): ClaimResult => {
    const time = now()
    const result = look(connection, request, time)
    if (result.kind !== 'claimed') return result
    connection.statements.put.run(...putValues(request, result, time))
    // Two for each new one: what is over is gone sooner than new keys come.
    connection.statements.sweep.run(time, 2)
    connection.database.exec(`SAVEPOINT ${savepoint}`)

    const { key, owner } = request
    const run: Run<D> = {
      claim: { key, owner, fence: result.fence },
      connection,
      database: guard(connection.database, (method) => {
        demandRunning(run)
        // libsql would keep the transaction, and with it the lock, until its statements are collected.
        if (method === 'close') throw unusable('the connection of a request is closed by the store only')
      }),
    }
    const transaction = Object.freeze({})
    runs.set(owner, run)
    transactions.set(transaction, run)
    return { ...result, transaction }
  }

  const runOf = ({ key, owner, fence }: Claim): Run<D> | undefined => {
    demandOpen()
    const run = runs.get(owner)
    return run !== undefined && run.claim.key === key && run.claim.fence === fence ? run : undefined
  }

  /** Ends a run by `steps`, in a transaction that is still its own; what they do not commit is rolled back. */
  const end = (run: Run<D>, steps: (connection: Connection<D>) => void): void => {
    runs.delete(run.claim.owner)
    try {
      demandOwnTransaction(run.connection.database)
      steps(run.connection)
    } finally {
      lock.end(run.connection)
    }
  }

  const demandOwnTransaction = (database: D): void => {
    try {
      database.exec(`RELEASE ${savepoint}`)
    } catch (error) {
      if (!/no such savepoint/i.test(errorText(error))) throw error
      throw unusable(
        'the transaction of this request had ended before its result was stored: the handler must leave COMMIT and ROLLBACK to the ' +
          'store (within the transaction it may use savepoints). What it committed by itself is kept, without a result',
        error,
      )
    }
  }

  return {
    transactional: { waitsAtMost },
    async claim(request) {
      demandOpen()
      const seen = look(pool.reader, request, now())
      if (seen.kind !== 'claimed') return seen
      const connection = await lock.begin(waitsAtMost)
      try {
        demandOpen()
        // Whoever had the lock may have finished this very key.
        return connection === undefined ? { kind: 'pending', leaseLeft: lookAgain } : take(request, connection)
      } finally {
        if (connection !== undefined && runs.get(request.owner)?.connection !== connection) lock.end(connection)
      }
    },
    async complete(claim, { status, fields, requestId, body }, retention) {
      const run = runOf(claim)
      if (run === undefined) return false
      end(run, ({ database, statements }) => {
        // With the time 0, since a record does not end while its transaction is open.
        const done = statements.complete.run(status, JSON.stringify(fields), requestId ?? null, body, now() + retention, ...holder(claim, 0))
        if (changes(done) !== 1) throw unusable(`the handler changed the table "${settings.table}"`)
        database.exec('COMMIT')
      })
      return true
    },
    async release(claim) {
      const run = runOf(claim)
      if (run === undefined) return false
      end(run, () => {})
      return true
    },
    // There is no lease: the transaction holds the key. And a phase would be rolled back with its run.
    renew: async (claim) => runOf(claim) !== undefined,
    savePhase: async (claim) => runOf(claim) !== undefined,
    async sweep(limit) {
      demandOpen()
      const connection = await lock.begin(waitsAtMost)
      demandOpen()
      if (connection === undefined) return 0
      try {
        const swept = changes(connection.statements.sweep.run(now(), limit))
        connection.database.exec('COMMIT')
        return swept
      } finally {
        lock.end(connection)
      }
    },
    databaseOf(transaction) {
      const run = typeof transaction === 'object' && transaction !== null ? transactions.get(transaction) : undefined
      if (run === undefined) throw unusable('databaseOf takes the transaction of a claim of this store, which only a protected request has')
      demandRunning(run)
      return run.database
    },
    close() {
      if (isClosed) return
      isClosed = true
      runs.clear()
      lock.sendAway()
      pool.close()
    },
  }
}
