import type { Duration } from '@hopwise/core'
import { storeContract } from '@hopwise/testkit/store'
import { describe, expect, test } from 'vitest'
import { databaseClock, emptyTable, shifted } from '../testing/d1.js'
import { env } from '../testing/env.js'
import { d1Store } from './store.js'

const { cases, skipped } = storeContract({
  name: 'D1',
  clock: { advance: (time: Duration) => void (databaseClock.ahead += time) },
  supports: { sharedData: true },
  async create() {
    await emptyTable(env.DATABASE)
    const [store, second] = [d1Store({ database: shifted(env.DATABASE) }), d1Store({ database: shifted(env.DATABASE) })]
    return { store, second, close: async () => {} }
  },
})

describe('the store contract', () => {
  test.each(cases)('$name', ({ run }) => run())

  test('only the cases for notifications do not apply', () => {
    expect(cases.length + skipped.length).toBe(88)
    expect(skipped.map(({ reason }) => reason)).toEqual(skipped.map(() => 'supports.watch is not set: the store has no notifications'))
  })
})
