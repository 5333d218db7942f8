import { expect, onTestFinished, test, vi } from 'vitest'
import { Events } from '../events.js'
import type { Duration } from '../duration.js'
import type { IdempotencyEvents } from './events.js'
import { callsFor } from './key-calls.js'
import { memoryStore } from './memory-store.js'

test('the first store error that nobody listens to is said, and no more than that; one that is listened to is not', () => {
  const said = vi.spyOn(console, 'error').mockImplementation(() => {})
  onTestFinished(() => said.mockRestore())
  const store = memoryStore()
  const calls = (events: Events<IdempotencyEvents>) => callsFor('key-1', { store, storeDeadline: 500 as Duration }, events)

  const heard = new Events<IdempotencyEvents>()
  const told: unknown[] = []
  heard.on('store-error', (event) => told.push(event))
  const error = Object.assign(new Error('connect ECONNREFUSED'), { command: { args: ['secret'] } })
  calls(heard).failed('claim')(error)
  expect(told).toEqual([{ key: 'key-1', operation: 'claim', error }])
  expect(said).not.toHaveBeenCalled()

  for (let n = 0; n < 3; n += 1) calls(new Events<IdempotencyEvents>()).failed('claim')(error)
  // What a driver adds to its errors is not for a log.
  expect(said.mock.calls).toEqual([['hopwise: store-error: claim: connect ECONNREFUSED']])
})
