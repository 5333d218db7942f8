import { errorText, HopwiseError, parseOptions, valueField, type Claim, type ClaimRequest, type ClaimResult, type Duration, type IdempotencyStore } from '@hopwise/core'
import { demandBinding, kindOf } from '../binding.js'
import { claimedWith, decide, responseValues, type Row } from '../record.js'
import { defaultTable } from '../table.js'
import type { D1DatabaseLike, D1StatementLike } from './database.js'
import { statementsFor } from './statements.js'

/** The options of {@link d1Store}. */
export interface D1StoreOptions {
  /** The binding of the database, `env.NAME`; no session of it, which could read from a replica that lags behind. */
  readonly database: D1DatabaseLike
  /** The table, which a migration has made: letters, digits and `_`, at most 60, not beginning with a digit or `sqlite_`. ['hopwise_idempotency'] */
  readonly table?: string
}

/**
 * A store in a D1 database, decided by the database's clock. Each operation is one round trip: a statement, or for a claim a
 * batch of three, which D1 runs as one transaction. Each claim that takes a key removes two records whose retention is over,
 * so that the table stays bounded with no timer. There are no notifications: whoever waits polls.
 *
 * The table is made by `migrations/0001_hopwise_idempotency.sql` of this package.
 *
 * @throws HopwiseError `option-unknown`, `option-invalid`: also for a binding that is missing or of another kind. An
 * operation rejects with `store-unusable` where the table is not there, else with what D1 rejects with
 *
 * @example
 * const store = d1Store({ database: env.DATABASE })
 */
export function d1Store(options: D1StoreOptions): IdempotencyStore {
  demandBinding('d1Store', options, 'database', 'database')
  const { database, table } = parseOptions('d1Store', options, {
    database: { ...valueField<D1DatabaseLike>('a D1 database', (value) => kindOf(value) === 'database'), required: true as const },
    table: {
      ...valueField<string>(
        'a table name of letters, digits and "_", at most 60, not beginning with a digit or "sqlite_"',
        (value) => typeof value === 'string' && /^(?!sqlite_)[a-z_][a-z0-9_]{0,59}$/i.test(value),
      ),
      default: defaultTable,
    },
  })
  const texts = statementsFor(table)

  const prepared = (text: string, ...values: readonly unknown[]): D1StatementLike => database.prepare(text).bind(...values)
  const changes = async (text: string, ...values: readonly unknown[]): Promise<number> => {
    const { meta } = await prepared(text, ...values).run().catch((error: unknown) => fail(table, error))
    return meta.changes
  }
  const change = async (text: string, { key, owner, fence }: Claim, ...values: readonly unknown[]): Promise<boolean> =>
    (await changes(text, key, owner, fence, ...values)) === 1

  return {
    async claim(request) {
      const { key, owner, fingerprint, lease, retention, expired } = request
      const batch = [
        prepared(texts.take, key, owner, fingerprint, lease, retention, expired),
        prepared(texts.find, key),
        prepared(texts.tidy, key, owner),
      ]
      const [taken, found] = await database.batch(batch as never[]).catch((error: unknown) => fail(table, error))
      const row = taken?.results[0] as Pick<Row, 'fence' | 'phases'> | undefined
      return row === undefined ? refusal(found?.results[0] as FoundRow, request) : claimedWith(row.fence, row)
    },
    complete: (claim, response, retention) => change(texts.complete, claim, ...responseValues(response), retention),
    renew: (claim, lease) => change(texts.renew, claim, lease),
    release: (claim) => change(texts.release, claim),
    savePhase: (claim, name, value) => change(texts.savePhase, claim, name, value),
    sweep: (limit) => changes(texts.sweep, limit),
  }
}

type FoundRow = Row & { readonly now: number }

/** What to say of a key that the claim did not get. */
function refusal(row: FoundRow, request: ClaimRequest): ClaimResult {
  const result = decide(row, request, row.now)
  // The lease ended between the two statements of the batch. The claim did not get it, and the next one will.
  return result.kind === 'claimed' ? { kind: 'pending', leaseLeft: 1 as Duration } : result
}

function fail(table: string, error: unknown): never {
  if (!/no such table/i.test(errorText(error))) throw error
  throw new HopwiseError('store-unusable', `d1Store: the database has no table "${table}"; apply migrations/0001_hopwise_idempotency.sql of @hopwise/cloudflare`, { cause: error })
}
