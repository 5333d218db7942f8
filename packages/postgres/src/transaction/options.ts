import { durationField, functionField, integerField, parseOptions, wordField, type DurationInput } from '@hopwise/core'
import { tableFields, type TableOptions } from '../table.js'
import type { Connect } from './client.js'
import type { Isolation } from './texts.js'

/** The options of {@link postgresTransactionStore}. */
export interface PostgresTransactionStoreOptions<Native> extends TableOptions {
  /**
   * `pgTransactions(pool)`, `postgresJsTransactions(sql)`, or a function of your own. Each protected request holds a
   * connection from its claim until its response is stored, and so does each duplicate that waits for one in another
   * process: the size of the pool bounds how many run at once.
   */
  readonly connect: Connect<Native>
  /** How long a duplicate waits for the transaction of the first request before it hears that it is running. Range 1 ms to 10 min. ['10s'] */
  readonly waitsAtMost?: DurationInput
  /**
   * The isolation level of the handler's transactions. The stricter two refuse work that meets other work
   * (`serialization_failure`): run it in `withTransaction`, which repeats it. ['read committed']
   */
  readonly isolation?: Isolation
  /** How often `withTransaction` repeats work after a serialization failure or a deadlock. Range 0 to 100. [3] */
  readonly retries?: number
}

/**
 * Reads the options once.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function readTransactionStoreOptions<Native>(options: PostgresTransactionStoreOptions<Native>) {
  return parseOptions('postgresTransactionStore', options, {
    connect: {
      ...functionField<Connect<Native>>('pgTransactions(pool), postgresJsTransactions(sql), or a function that gives a Promise of a connection'),
      required: true as const,
    },
    waitsAtMost: durationField({ min: '1ms', max: '10m', default: '10s' }),
    isolation: wordField(['read committed', 'repeatable read', 'serializable'], 'read committed'),
    retries: integerField({ min: 0, max: 100, default: 3 }),
    ...tableFields,
  })
}

/** The options as the store uses them. */
export type TransactionStoreSettings<Native> = ReturnType<typeof readTransactionStoreOptions<Native>>
