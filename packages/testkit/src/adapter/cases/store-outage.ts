import { memoryStore, type IdempotencyStore } from '@hopwise/core'
import { equal } from '../../store/expect.js'
import type { AdapterCase } from '../case.js'
import { problemType } from '../tools.js'

const failing = (operation: 'claim' | 'complete', how: 'throws' | 'hangs'): (() => IdempotencyStore) => () => ({
  ...memoryStore(),
  [operation]: () => {
    if (how === 'throws') throw new Error('the database is on fire at 10.0.0.7')
    return new Promise(() => {})
  },
})

/** A store that is down: a bounded, clear answer, and no effect that is not answered for. */
export const storeOutageCases: readonly AdapterCase[] = (['throws', 'hangs'] as const).flatMap((how): AdapterCase[] => [
  {
    title: `a claim that ${how} is answered with 503 and Retry-After, and the handler does not run`,
    setup: { store: failing('claim', how), idempotency: { storeDeadline: 50 } },
    run: async ({ post, executions }) => {
      const response = await post('/orders', { key: 'key-1' })
      equal(response.status, 503, 'status')
      equal(problemType(response), 'store-unavailable', 'problem')
      equal(response.field('retry-after'), '1', 'Retry-After')
      equal(response.body.toString().includes('10.0.0.7'), false, 'the database\'s words are told to the client')
      equal(await executions('/orders'), 0, 'executions')
    },
  },
  {
    title: `a claim that ${how} lets the request pass where that was asked for`,
    setup: { store: failing('claim', how), idempotency: { storeDeadline: 50, onStoreError: 'proceed' } },
    run: async ({ post, executions }) => {
      equal((await post('/orders', { key: 'key-1' })).status, 201, 'status')
      equal(await executions('/orders'), 1, 'executions')
    },
  },
  {
    title: `a result that cannot be stored (${how}) is sent all the same, and the key stays in progress`,
    setup: { store: failing('complete', how), idempotency: { storeDeadline: 50 } },
    run: async ({ post, executions }) => {
      equal((await post('/orders', { key: 'key-1' })).status, 201, 'the answer')
      equal((await post('/orders', { key: 'key-1' })).status, 409, 'the retry')
      equal(await executions('/orders'), 1, 'executions')
    },
  },
])
