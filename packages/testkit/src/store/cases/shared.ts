import type { StoreCase } from '../case.js'
import { equal } from '../expect.js'
import { claimed, oneWinner, otherFingerprint, otherResponse, plainResponse } from '../tools.js'

/** Two handles on the same data are one store. */
export const sharedCases: readonly StoreCase[] = ([
  {
    title: 'of claims through two handles at once, one has the key',
    async run({ store, second, request, again }) {
      const first = request()
      oneWinner(await Promise.all(Array.from({ length: 40 }, (_, at) => (at % 2 === 0 ? store : second).claim(again(first)))), 1)
    },
  },
  {
    title: 'of takers through two handles at once, one has the key',
    async run({ store, second, request, again, hold, advance }) {
      const first = request({ lease: 1 })
      await hold(first)
      await advance(2)
      oneWinner(await Promise.all(Array.from({ length: 20 }, (_, at) => (at % 2 === 0 ? store : second).claim(again(first)))), 2)
    },
  },
  {
    title: 'what one handle holds and completes, the other sees',
    async run({ second, request, again, hold, finish }) {
      const first = request()
      const claim = await hold(first)
      equal((await second.claim(again(first))).kind, 'pending', 'held')
      equal(await second.claim(again(first, { fingerprint: otherFingerprint })), { kind: 'mismatch' }, 'with another fingerprint')
      await finish(claim)
      equal(await second.claim(again(first)), { kind: 'done', response: plainResponse }, 'done')
    },
  },
  {
    title: 'what one handle releases, the other claims',
    async run({ store, second, request, again, hold }) {
      const first = request()
      equal(await second.release(await hold(first)), true, 'release through the other handle')
      claimed(await second.claim(again(first)), 2, 'the claim')
      equal((await store.claim(again(first))).kind, 'pending', 'the first handle')
    },
  },
  {
    title: 'a takeover through one handle makes the holder at the other one stale',
    async run({ store, second, request, again, hold, advance, units }) {
      const first = request({ lease: 1 })
      const former = await hold(first)
      await advance(2)
      const current = await hold(again(first), second)
      equal(await store.renew(former, units(10)), false, 'renew by the former holder')
      equal(await store.complete(former, otherResponse, units(10)), false, 'complete by the former holder')
      equal(await second.complete(current, plainResponse, units(10)), true, 'complete by the new holder')
      equal(await store.claim(again(first)), { kind: 'done', response: plainResponse }, 'the key afterwards')
    },
  },
] satisfies StoreCase[]).map((each) => ({ ...each, needs: 'sharedData' }))
