import { functionField, parseOptions, valueField } from '@hopwise/core'
import type { Listener, Query } from './query.js'
import { tableFields, type TableOptions } from './table.js'

/** The options of {@link postgresStore}. */
export interface PostgresStoreOptions extends TableOptions {
  /** `fromPg(pool)`, `fromPostgresJs(sql)`, or a function of your own. */
  readonly query: Query
  /**
   * `pgListener(…)` or `postgresJsListener(sql)`: whoever waits for a key hears at once that it is done, by LISTEN and
   * NOTIFY on the channel `hopwise_idempotency`. Give it in all processes that share the table: one without it tells the
   * others nothing. [waiters poll]
   */
  readonly listen?: Listener
}

/**
 * Reads the options once.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function readPostgresStoreOptions(options: PostgresStoreOptions) {
  return parseOptions('postgresStore', options, {
    query: {
      ...functionField<Query>('fromPg(pool), fromPostgresJs(sql), or a function (text, values) => Promise<{ rows }>'),
      required: true as const,
    },
    listen: valueField<Listener>('pgListener(…), postgresJsListener(sql), or an object with a listen function', isListener),
    ...tableFields,
  })
}

function isListener(value: unknown): boolean {
  return typeof value === 'object' && value !== null && typeof (value as Record<string, unknown>)['listen'] === 'function'
}
