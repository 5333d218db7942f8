import type { StoreCase } from '../case.js'
import { equal } from '../expect.js'
import { claimed, otherFingerprint, otherResponse, plainResponse } from '../tools.js'

/** How long a record is kept, and that it is gone on time with no sweep. */
export const retentionCases: readonly StoreCase[] = [
  {
    title: 'a done key is free on the first claim after its retention',
    async run({ store, request, again, hold, advance, units }) {
      const [same, other] = [request(), request()]
      for (const first of [same, other]) equal(await store.complete(await hold(first), plainResponse, units(2)), true, 'complete')
      await advance(3)
      equal((await store.claim(again(same))).kind, 'claimed', 'the same fingerprint')
      equal((await store.claim(again(other, { fingerprint: otherFingerprint }))).kind, 'claimed', 'another fingerprint')
    },
  },
  {
    title: 'a pending key is free on the first claim after its retention',
    async run({ store, request, again, hold, advance }) {
      const [same, other] = [request({ lease: 1, retention: 2 }), request({ lease: 1, retention: 2 })]
      for (const first of [same, other]) await hold(first)
      await advance(3)
      equal((await store.claim(again(same, { expired: 'report' }))).kind, 'claimed', 'the same fingerprint')
      equal((await store.claim(again(other, { fingerprint: otherFingerprint }))).kind, 'claimed', 'another fingerprint')
    },
  },
  {
    title: 'a released key is free on the first claim after its retention',
    async run({ store, request, again, hold, advance }) {
      const first = request({ lease: 1, retention: 2 })
      equal(await store.release(await hold(first)), true, 'release')
      await advance(3)
      equal((await store.claim(again(first))).kind, 'claimed', 'the claim')
    },
  },
  {
    title: 'nothing of a record is left after its retention',
    async run({ store, request, again, hold, advance, finish, units }) {
      const first = request()
      const former = await hold(first)
      equal(await store.complete(former, plainResponse, units(2)), true, 'complete')
      await advance(3)
      const next = again(first, { fingerprint: otherFingerprint })
      const claim = await hold(next)
      equal(await store.complete(former, plainResponse, units(10)), false, 'complete by the former holder')
      equal((await store.claim(again(next))).kind, 'pending', 'the new record')
      const bare = { status: 500, fields: [], body: null, requestId: undefined }
      await finish(claim, bare)
      equal(await store.claim(again(next)), { kind: 'done', response: bare }, 'the new response')
    },
  },
  {
    title: 'a done key is kept for its retention, counted from complete',
    async run({ store, request, again, hold, advance, units }) {
      const first = request({ retention: 30 })
      const claim = await hold(first)
      await advance(2)
      equal(await store.complete(claim, plainResponse, units(3)), true, 'complete')
      await advance(2)
      equal(await store.claim(again(first)), { kind: 'done', response: plainResponse }, '2 units after complete, of 3')
      await advance(2)
      equal((await store.claim(again(first))).kind, 'claimed', '4 units after complete, of 3')
    },
  },
  {
    title: 'a record is kept beyond its retention for as long as its lease is renewed',
    async run({ store, request, again, hold, advance, finish, units }) {
      const first = request({ lease: 2, retention: 3 })
      const claim = await hold(first)
      for (let renewal = 0; renewal < 4; renewal++) {
        await advance(1)
        equal(await store.renew(claim, units(2)), true, `renewal ${renewal + 1}`)
      }
      await store.sweep(100)
      equal((await store.claim(again(first))).kind, 'pending', '4 units after the claim, of 3')
      await finish(claim)
      equal(await store.claim(again(first)), { kind: 'done', response: plainResponse }, 'the key afterwards')
    },
  },
  {
    title: 'a retention shorter than the lease does not end the lease',
    async run({ store, request, again, hold, advance, finish }) {
      const first = request({ lease: 4, retention: 1 })
      const claim = await hold(first)
      await advance(2)
      await store.sweep(100)
      equal((await store.claim(again(first))).kind, 'pending', '2 units after the claim, with a lease of 4')
      await finish(claim)
    },
  },
  {
    title: 'a sweep removes at most its limit, and gives how many',
    needs: 'sweep',
    async run({ store, request, hold, advance, units }) {
      for (let count = 0; count < 3; count++) await hold(request({ lease: 1, retention: 2 }))
      for (let count = 0; count < 2; count++) await store.complete(await hold(request()), otherResponse, units(2))
      equal(await store.sweep(100), 0, 'a sweep before anything is over')
      await advance(4)
      equal(await store.sweep(2), 2, 'a sweep of at most 2')
      equal(await store.sweep(100), 3, 'a sweep of the rest')
      equal(await store.sweep(100), 0, 'a sweep of nothing')
    },
  },
  {
    title: 'a sweep removes only what is over',
    async run({ store, request, again, hold, advance, finish, units }) {
      const [done, pending, silent, given, over] = [request(), request(), request({ lease: 1 }), request(), request({ lease: 1, retention: 1 })]
      await finish(await hold(done))
      await hold(pending)
      await hold(silent)
      await store.release(await hold(given))
      await store.complete(await hold(over), plainResponse, units(1))
      await advance(3)
      await store.sweep(100)
      equal(await store.claim(again(done)), { kind: 'done', response: plainResponse }, 'a done key')
      equal((await store.claim(again(pending))).kind, 'pending', 'a held key')
      equal(await store.claim(again(silent, { expired: 'report' })), { kind: 'expired', fence: 1 }, 'a key whose lease is over')
      claimed(await store.claim(again(given)), 2, 'a released key')
      equal((await store.claim(again(over))).kind, 'claimed', 'a key that is over')
    },
  },
]
