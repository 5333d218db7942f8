import type { Duration } from '@hopwise/core'
import { storeContract } from '@hopwise/testkit/store'
import { describe, expect, test } from 'vitest'
import { apart } from '../testing/apart.js'
import { env } from '../testing/env.js'
import { objectClock } from '../testing/worker.js'
import { durableObjectStore } from './store.js'

const { cases, skipped } = storeContract({
  name: 'Durable Object',
  clock: { advance: (time: Duration) => void (objectClock.ahead += time) },
  supports: { sharedData: true, watch: true },
  async create() {
    const namespace = apart(env.CLOCKED)
    const [store, second] = [durableObjectStore({ namespace, shards: 1 }), durableObjectStore({ namespace, shards: 1 })]
    return { store, second, close: async () => {} }
  },
})

describe('the store contract', () => {
  test.each(cases)('$name', ({ run }) => run())

  test('all of it applies', () => {
    expect([cases.length, skipped]).toEqual([88, []])
  })
})
