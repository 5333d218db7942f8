import { HopwiseError, type Claim, type ClaimRequest, type ClaimResult, type Duration, type IdempotencyStore } from '@hopwise/core'
import { qualified } from '../identifier.js'
import { numberLiteral } from '../literal.js'
import { codeOf, explained, isRetryable, sqlstate } from '../sqlstate.js'
import { sweepSql, sweptIn } from '../sweep.js'
import type { HandlerTransaction, TransactionClient } from './client.js'
import { claimOn, rollBack } from './claim.js'
import { localTurns } from './local-turns.js'
import { openTransaction, type OpenTransaction } from './open-transaction.js'
import { readTransactionStoreOptions, type PostgresTransactionStoreOptions } from './options.js'
import { completeText } from './texts.js'

/** An idempotency store whose claims are transactions, in which the handler works. */
export type PostgresTransactionStore<Native> = IdempotencyStore & {
  readonly transactional: { readonly waitsAtMost: Duration }
  /**
   * The open transaction of a handler, from what its ticket has as `transaction`. Whatever it writes there is committed
   * together with its response, or not at all. The store ends it: no COMMIT, no ROLLBACK, no release of your own.
   * @throws HopwiseError `store-unusable` where `transaction` is none of this store
   */
  transactionOf(transaction: unknown): HandlerTransaction<Native>
  /**
   * Runs `work` in the handler's transaction. Where it fails with a serialization failure (40001) or a deadlock (40P01),
   * all is rolled back, the key is claimed anew, and `work` runs again from its start, after a short random pause, at most
   * `retries` times. Whatever the handler wrote before `withTransaction` is gone then: let it do all its work in there.
   * @throws whatever `work` throws; HopwiseError `lease-lost` where somebody else got the key in between, and
   * `store-unusable` where `transaction` is none of this store
   */
  withTransaction<T>(transaction: unknown, work: (transaction: HandlerTransaction<Native>) => Promise<T>): Promise<T>
}

/** The pause before work is repeated is at random up to this, twice as long each time, in milliseconds. */
const firstPause = 10

/**
 * A store whose claim opens a transaction: the handler's effects in the same database and its response are committed
 * together, so that the effect happens exactly once. A crash leaves nothing: the database rolls back, and the retry runs. A
 * duplicate waits for the first request, and then gets its response.
 *
 * There is no lease: `renew` and `savePhase` are true and do nothing while the transaction is open, since all of it is
 * rolled back together. The table must be there: see {@link createTable}.
 * @throws HopwiseError `option-unknown`, `option-invalid`. `complete` rejects where nothing was committed, or, where the
 * connection was lost during COMMIT, nobody knows; the retry finds out
 *
 * @example
 * const store = postgresTransactionStore({ connect: pgTransactions(pool) })
 */
export function postgresTransactionStore<Native>(options: PostgresTransactionStoreOptions<Native>): PostgresTransactionStore<Native> {
  const settings = readTransactionStoreOptions(options)
  const { connect, waitsAtMost, retries } = settings
  const table = qualified(settings)
  const turns = localTurns()
  const held = new Map<string, OpenTransaction<Native>>()
  const records = new WeakMap<object, OpenTransaction<Native>>()

  async function claimWithConnection(request: ClaimRequest, until: number): Promise<ClaimResult> {
    const client = await connect()
    let result: ClaimResult
    try {
      result = await claimOn(client, request, until, settings)
    } catch (error) {
      void rollBack(client).then((broken) => client.release(broken))
      throw explained(error, table)
    }
    if (result.kind !== 'claimed') {
      // The answer is known; the connection follows.
      void rollBack(client).then((broken) => client.release(broken))
      return result
    }
    const opened = openTransaction(client, request, result.fence)
    held.set(request.key, opened)
    turns.hold(request, opened.over)
    const transaction = Object.freeze({})
    records.set(transaction, opened)
    return { ...result, transaction }
  }

  /** The transaction of `claim`, if it is open: the caller has to end it. */
  async function takeEnd(claim: Claim): Promise<OpenTransaction<Native> | undefined> {
    const opened = held.get(claim.key)
    if (opened === undefined || !opened.isOf(claim) || !opened.takeEnd()) return undefined
    held.delete(claim.key)
    await opened.restarting
    return opened
  }

  const isOpen = (claim: Claim): boolean => held.get(claim.key)?.isOf(claim) === true

  function recordOf(transaction: unknown): OpenTransaction<Native> {
    const opened = typeof transaction === 'object' && transaction !== null ? records.get(transaction) : undefined
    if (opened !== undefined) return opened
    throw new HopwiseError(
      'store-unusable',
      'postgresTransactionStore: that is no transaction of this store; hand in what the ticket of a protected request has as "transaction"',
    )
  }

  /** Rolls back, waits a moment, and claims the key again. */
  async function beginAnew(opened: OpenTransaction<Native>, pause: number): Promise<void> {
    const { client, request, fence } = opened
    try {
      await client.query('ROLLBACK')
      await new Promise((resolve) => void setTimeout(resolve, Math.random() * pause))
      // Given up meanwhile: whoever did so waits for this, and gives the connection back.
      if (opened.isEnded) throw lost()
      const result = await claimOn(client, request, performance.now() + waitsAtMost, settings)
      if (result.kind !== 'claimed' || result.fence !== fence || opened.isEnded) throw lost()
    } catch (error) {
      if (opened.takeEnd()) {
        held.delete(request.key)
        opened.giveBack(await rollBack(client))
      }
      throw error
    }
  }

  return {
    transactional: { waitsAtMost },

    async claim(request) {
      const until = performance.now() + waitsAtMost
      return turns.run(request, until, () => claimWithConnection(request, until))
    },

    async complete(claim, response, retention) {
      const opened = await takeEnd(claim)
      if (opened === undefined) return false
      try {
        await commit(opened.client, completeText(table, claim, response, retention))
      } catch (error) {
        opened.giveBack(await rollBack(opened.client))
        if (codeOf(error) === sqlstate.divisionByZero) return false
        throw error
      }
      opened.giveBack(false)
      return true
    },

    async release(claim) {
      const opened = await takeEnd(claim)
      if (opened === undefined) return false
      // Where it fails, the connection is lost, and the server rolls back by itself.
      opened.giveBack(await rollBack(opened.client))
      return true
    },

    renew: async (claim) => isOpen(claim),
    savePhase: async (claim) => isOpen(claim),

    async sweep(limit) {
      const client = await connect()
      let broken = true
      try {
        const { rows } = await client.query(`BEGIN;\n${sweepSql(settings, numberLiteral(limit))}`)
        await client.query('COMMIT')
        broken = false
        return sweptIn(rows)
      } catch (error) {
        throw explained(error, table)
      } finally {
        client.release(broken)
      }
    },

    transactionOf: (transaction) => recordOf(transaction).handed,

    async withTransaction(transaction, work) {
      const opened = recordOf(transaction)
      for (let attempt = 0; ; attempt++) {
        try {
          return await work(opened.handed)
        } catch (error) {
          if (attempt === retries || opened.isEnded || !isRetryable(error)) throw error
          const restart = beginAnew(opened, firstPause * 2 ** attempt)
          opened.restarting = restart.catch(() => undefined)
          await restart
        }
      }
    },
  }
}

/** Writes the result and commits, in one round trip where there are no values. */
async function commit(client: TransactionClient, { text, values }: ReturnType<typeof completeText>): Promise<void> {
  if (values !== undefined) await client.query(text, values)
  const { command } = await client.query(values === undefined ? `${text};\nCOMMIT` : 'COMMIT')
  // A transaction that had failed before is rolled back by its COMMIT, which says so in its tag only.
  if (command !== undefined && command !== 'COMMIT') throw new Error(`the transaction was not committed: the database answered ${command}`)
}

function lost(): HopwiseError {
  return new HopwiseError(
    'lease-lost',
    'the transaction had to be begun anew, and meanwhile the key was taken by another request, or this one was given up; nothing of it was kept',
  )
}
