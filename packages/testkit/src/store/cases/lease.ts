import type { StoreCase } from '../case.js'
import { equal, within } from '../expect.js'
import { claimed, leaseLeftOf, oneWinner, otherFingerprint, plainResponse, type StoreTools } from '../tools.js'

/** What becomes of a key whose holder has gone silent. */
export const leaseCases: readonly StoreCase[] = [
  {
    title: 'renew lengthens the lease, counted from the renewal',
    async run({ store, request, again, hold, advance, units }) {
      const first = request({ lease: 2 })
      const claim = await hold(first)
      await advance(1)
      equal(await store.renew(claim, units(4)), true, 'renew')
      await advance(2)
      const result = await store.claim(again(first))
      within(leaseLeftOf(result), 0, units(2.5), 'leaseLeft, 2 units after a renewal for 4')
      await advance(3)
      claimed(await store.claim(again(first)), 2, 'when the renewed lease is over')
    },
  },
  {
    title: 'a lease that is over is taken with the next fence, and then holds for the new owner',
    async run(tools) {
      const { store, again } = tools
      const first = await abandoned(tools)
      claimed(await store.claim(again(first)), 2, 'the takeover')
      equal((await store.claim(again(first))).kind, 'pending', 'the key afterwards')
    },
  },
  {
    title: 'fences grow with each takeover',
    async run({ request, again, hold, advance }) {
      const first = request({ lease: 1 })
      const fences = [(await hold(first)).fence]
      for (let takeover = 0; takeover < 3; takeover++) {
        await advance(2)
        fences.push((await hold(again(first, { lease: 1 }))).fence)
      }
      equal(fences, [1, 2, 3, 4], 'the fences')
    },
  },
  {
    title: 'a lease that is over is only reported where the claim says so, as often as it is asked',
    async run(tools) {
      const { store, again } = tools
      const first = await abandoned(tools)
      equal(await store.claim(again(first, { expired: 'report' })), { kind: 'expired', fence: 1 }, 'the first report')
      equal(await store.claim(again(first, { expired: 'report' })), { kind: 'expired', fence: 1 }, 'the second report')
      claimed(await store.claim(again(first)), 2, 'a takeover afterwards')
    },
  },
  {
    title: 'a claim that names the fence of a lease that is over takes it',
    async run(tools) {
      const { store, again } = tools
      const first = await abandoned(tools)
      claimed(await store.claim(again(first, { expired: 1 })), 2, 'the takeover')
    },
  },
  {
    title: 'a claim that names another fence does not take it',
    async run(tools) {
      const { store, again, hold, advance } = tools
      const first = await abandoned(tools)
      equal(await store.claim(again(first, { expired: 2 })), { kind: 'expired', fence: 1 }, 'a fence to come')
      await hold(again(first, { lease: 1 }))
      await advance(2)
      equal(await store.claim(again(first, { expired: 1 })), { kind: 'expired', fence: 2 }, 'a fence that was')
    },
  },
  {
    title: 'a lease that is over with another fingerprint is a mismatch',
    async run(tools) {
      const { store, again } = tools
      const first = await abandoned(tools)
      for (const expired of ['take', 'report', 1] as const) {
        equal(await store.claim(again(first, { fingerprint: otherFingerprint, expired })), { kind: 'mismatch' }, `with ${expired}`)
      }
    },
  },
  {
    title: 'of 20 takers of a lease that is over at once, one has it',
    async run(tools) {
      const first = await abandoned(tools)
      oneWinner(await Promise.all(Array.from({ length: 20 }, () => tools.store.claim(tools.again(first)))), 2)
    },
  },
  {
    title: 'of 20 takers that name the fence at once, one has it',
    async run(tools) {
      const first = await abandoned(tools)
      oneWinner(await Promise.all(Array.from({ length: 20 }, () => tools.store.claim(tools.again(first, { expired: 1 })))), 2)
    },
  },
  {
    title: 'a holder whose lease is over may complete while nobody took the key',
    async run({ store, request, again, hold, advance, finish }) {
      const first = request({ lease: 1 })
      const claim = await hold(first)
      await advance(2)
      equal((await store.claim(again(first, { expired: 'report' }))).kind, 'expired', 'a report in between')
      await finish(claim)
      equal(await store.claim(again(first)), { kind: 'done', response: plainResponse }, 'the key afterwards')
    },
  },
  {
    title: 'a holder whose lease is over may renew while nobody took the key',
    async run({ store, request, again, hold, advance, units }) {
      const first = request({ lease: 1 })
      const claim = await hold(first)
      await advance(2)
      equal(await store.renew(claim, units(30)), true, 'renew')
      equal((await store.claim(again(first))).kind, 'pending', 'the key afterwards')
    },
  },
  {
    title: 'a holder whose lease is over may release while nobody took the key',
    async run({ store, request, again, hold, advance }) {
      const first = request({ lease: 1 })
      const claim = await hold(first)
      await advance(2)
      equal(await store.release(claim), true, 'release')
      claimed(await store.claim(again(first, { expired: 'report' })), 2, 'the key afterwards')
    },
  },
]

/** A key with fence 1 whose holder let its lease run out; gives the request that claimed it. */
async function abandoned({ request, hold, advance }: StoreTools) {
  const first = request({ lease: 1 })
  await hold(first)
  await advance(2)
  return first
}
