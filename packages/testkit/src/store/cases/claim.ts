import type { StoreCase } from '../case.js'
import { equal, within } from '../expect.js'
import { claimed, leaseLeftOf, oneWinner, otherFingerprint, otherResponse, plainResponse } from '../tools.js'

/** Who gets a key that nobody has, and what the others hear. */
export const claimCases: readonly StoreCase[] = [
  {
    title: 'a fresh key is claimed with fence 1',
    async run({ store, request }) {
      claimed(await store.claim(request()), 1, 'the claim')
    },
  },
  {
    title: 'a fresh key is claimed whatever the claim says of expired leases',
    async run({ store, request }) {
      claimed(await store.claim(request({ expired: 'report' })), 1, 'with "report"')
      claimed(await store.claim(request({ expired: 7 })), 1, 'with fence 7')
    },
  },
  {
    title: 'of 50 claims of a fresh key at once, one has it and the others are pending',
    async run({ store, request, again, units }) {
      const first = request()
      const results = await Promise.all(Array.from({ length: 50 }, () => store.claim(again(first))))
      oneWinner(results, 1)
      for (const result of results) {
        if (result.kind === 'pending') within(result.leaseLeft, 0, units(30), 'leaseLeft of a lease of 30 units')
      }
    },
  },
  {
    title: 'a held key is pending, with what is left of its lease',
    async run({ store, request, again, hold, advance, units }) {
      const first = request({ lease: 4 })
      await hold(first)
      const early = await store.claim(again(first, { lease: 100 }))
      within(leaseLeftOf(early), 0, units(4), 'leaseLeft of a lease of 4 units')
      await advance(2)
      const late = await store.claim(again(first, { lease: 100 }))
      within(leaseLeftOf(late), 0, units(2.5), 'leaseLeft after 2 of 4 units')
    },
  },
  {
    title: 'a held key is pending whatever the claim says of expired leases',
    async run({ store, request, again, hold }) {
      const first = request()
      await hold(first)
      for (const expired of ['take', 'report', 1, 2] as const) {
        equal((await store.claim(again(first, { expired }))).kind, 'pending', `with ${expired}`)
      }
    },
  },
  {
    title: 'a held key with another fingerprint is a mismatch, not pending',
    async run({ store, request, again, hold, finish }) {
      const first = request()
      const claim = await hold(first)
      equal(await store.claim(again(first, { fingerprint: otherFingerprint })), { kind: 'mismatch' }, 'the claim')
      // Nor has the refused one left anything behind.
      equal((await store.claim(again(first))).kind, 'pending', 'the same fingerprint afterwards')
      await finish(claim)
    },
  },
  {
    title: 'a done key with another fingerprint is a mismatch',
    async run({ store, request, again, hold, finish }) {
      const first = request()
      await finish(await hold(first))
      for (const expired of ['take', 'report', 1] as const) {
        equal(await store.claim(again(first, { fingerprint: otherFingerprint, expired })), { kind: 'mismatch' }, `with ${expired}`)
      }
      equal((await store.claim(again(first))).kind, 'done', 'the same fingerprint afterwards')
    },
  },
  {
    title: 'different keys do not meet',
    async run({ store, request, again, hold, finish }) {
      const [a, b, c] = [request(), request({ fingerprint: otherFingerprint }), request()]
      const [claimA, claimB] = [await hold(a), await hold(b)]
      await hold(c)
      equal([claimA.fence, claimB.fence], [1, 1], 'the fences')
      await finish(claimA, plainResponse)
      await finish(claimB, otherResponse)
      equal(await store.claim(again(a)), { kind: 'done', response: plainResponse }, 'one key')
      equal(await store.claim(again(b)), { kind: 'done', response: otherResponse }, 'another key')
      equal((await store.claim(again(c))).kind, 'pending', 'a third key')
    },
  },
]
