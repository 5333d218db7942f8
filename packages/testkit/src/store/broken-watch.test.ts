import { expect, test } from 'vitest'
import { failuresOf } from './testing/failures-of.js'
import type { Flaws } from './testing/naive-store.js'

const supports = { sharedData: true, watch: true }

test('without a flaw, the store of these tests meets the contract with notifications', async () => {
  expect(await failuresOf({}, supports)).toEqual([])
})

/** What goes wrong with notifications → the cases that say so, all of them and no other. */
const faults: readonly (readonly [what: string, flaw: keyof Flaws, failed: readonly string[]])[] = [
  [
    'resolves a watch before it is there',
    'watchIsLate',
    [
      'a watcher wakes on complete',
      'a watcher wakes on release',
      'a key may be watched before anybody claims it',
      'no wake-up is lost between a watch that is there and what comes right after it',
      'many watchers of one key all wake',
      'watchers of many keys each wake for their own',
      'a watcher that was stopped does not wake, and the others do',
      'a watcher that was stopped does not wake for the next run either, and one that was not does',
      'one function that watches a key twice wakes until both are stopped',
      'a watcher wakes on complete through the other handle',
      'a watcher wakes on release through the other handle',
    ],
  ],
  [
    'never wakes',
    'neverWakes',
    [
      'a watcher wakes on complete',
      'a watcher wakes on release',
      'a key may be watched before anybody claims it',
      'no wake-up is lost between a watch that is there and what comes right after it',
      'many watchers of one key all wake',
      'watchers of many keys each wake for their own',
      'a watcher that was stopped does not wake, and the others do',
      'a watcher that was stopped does not wake for the next run either, and one that was not does',
      'one function that watches a key twice wakes until both are stopped',
      'a watcher wakes on complete through the other handle',
      'a watcher wakes on release through the other handle',
    ],
  ],
  [
    'does not wake on release',
    'sleepsThroughRelease',
    [
      'a watcher wakes on release',
      'no wake-up is lost between a watch that is there and what comes right after it',
      'a watcher that was stopped does not wake for the next run either, and one that was not does',
      'a watcher wakes on release through the other handle',
    ],
  ],
  [
    'wakes one watcher only',
    'wakesOneOnly',
    [
      'many watchers of one key all wake',
      'one function that watches a key twice wakes until both are stopped',
    ],
  ],
  [
    'goes on waking after stop',
    'stopDoesNothing',
    [
      'a watcher that was stopped does not wake, and the others do',
      'a watcher that was stopped does not wake for the next run either, and one that was not does',
    ],
  ],
  [
    'stops all watchers of a key with one',
    'stopStopsAll',
    [
      'a watcher that was stopped does not wake, and the others do',
      'one function that watches a key twice wakes until both are stopped',
    ],
  ],
  ['takes one function for one watcher', 'watchersBySet', ['one function that watches a key twice wakes until both are stopped']],
  [
    'hears nothing of the other handle',
    'watchesOnlyItself',
    [
      'a watcher wakes on complete through the other handle',
      'a watcher wakes on release through the other handle',
    ],
  ],
]

test.each(faults)('a store that %s fails', async (_what, flaw, failed) => {
  expect(await failuresOf({ [flaw]: true }, supports)).toEqual(failed)
})
