import type { Claim } from '@hopwise/core'
import type { StoreCase } from '../case.js'
import { equal, within } from '../expect.js'
import { claimed, leaseLeftOf, otherResponse, plainResponse, type StoreTools } from '../tools.js'

/** Only the holder of a key may complete, renew or release it; anybody else hears false and changes nothing. */
export const holderCases: readonly StoreCase[] = [
  {
    title: 'complete by another owner with the right fence is refused and changes nothing',
    async run(tools) {
      const claim = await tools.hold(tools.request())
      await refusedAll(tools, { ...claim, owner: crypto.randomUUID() })
      await tools.finish(claim)
    },
  },
  {
    title: 'complete by the right owner with another fence is refused and changes nothing',
    async run(tools) {
      const claim = await tools.hold(tools.request())
      await refusedAll(tools, { ...claim, fence: claim.fence + 1 })
      await refusedAll(tools, { ...claim, fence: claim.fence - 1 })
      await tools.finish(claim)
    },
  },
  {
    title: 'renew by anybody else is refused and does not lengthen the lease',
    async run({ store, request, again, hold, units }) {
      const first = request({ lease: 3 })
      const claim = await hold(first)
      equal(await store.renew({ ...claim, owner: crypto.randomUUID() }, units(500)), false, 'another owner')
      equal(await store.renew({ ...claim, fence: claim.fence + 1 }, units(500)), false, 'another fence')
      const result = await store.claim(again(first))
      within(leaseLeftOf(result), 0, units(3), 'leaseLeft of a lease of 3 units')
    },
  },
  {
    title: 'release by anybody else is refused and the key stays held',
    async run({ store, request, again, hold }) {
      const first = request()
      const claim = await hold(first)
      equal(await store.release({ ...claim, owner: crypto.randomUUID() }), false, 'another owner')
      equal(await store.release({ ...claim, fence: claim.fence + 1 }), false, 'another fence')
      equal((await store.claim(again(first))).kind, 'pending', 'the key')
    },
  },
  {
    title: 'a key that nobody claimed cannot be completed, renewed or released',
    async run({ store, request, units }) {
      const { key, owner } = request()
      const claim = { key, owner, fence: 1 }
      equal(await store.complete(claim, plainResponse, units(10)), false, 'complete')
      equal(await store.renew(claim, units(10)), false, 'renew')
      equal(await store.release(claim), false, 'release')
      claimed(await store.claim(request({ key })), 1, 'the first claim afterwards')
    },
  },
  {
    title: 'of 10 completes by the holder at once, one succeeds',
    async run({ store, request, hold, units }) {
      const claim = await hold(request())
      const done = await Promise.all(Array.from({ length: 10 }, () => store.complete(claim, plainResponse, units(100))))
      equal(done.filter(Boolean).length, 1, 'completes that succeeded')
    },
  },
  {
    title: 'a done key cannot be completed, renewed or released again',
    async run({ store, request, again, hold, finish, units }) {
      const first = request()
      const claim = await hold(first)
      await finish(claim)
      equal(await store.complete(claim, otherResponse, units(10)), false, 'complete')
      equal(await store.renew(claim, units(10)), false, 'renew')
      equal(await store.release(claim), false, 'release')
      equal(await store.claim(again(first)), { kind: 'done', response: plainResponse }, 'the key afterwards')
    },
  },
  {
    title: 'a released key cannot be completed, renewed or released by its former holder',
    async run({ store, request, again, hold, units }) {
      const first = request()
      const claim = await hold(first)
      equal(await store.release(claim), true, 'the first release')
      equal(await store.complete(claim, plainResponse, units(10)), false, 'complete')
      equal(await store.renew(claim, units(10)), false, 'renew')
      equal(await store.release(claim), false, 'a second release')
      claimed(await store.claim(again(first)), 2, 'the key afterwards')
    },
  },
  afterTakeover('complete by the former holder is refused, and the new holder still completes', async ({ store, units }, former) => {
    equal(await store.complete(former, otherResponse, units(10)), false, 'complete by the former holder')
  }),
  afterTakeover('renew by the former holder is refused and does not lengthen the lease', async ({ store, units }, former) => {
    equal(await store.renew(former, units(500)), false, 'renew by the former holder')
  }),
  afterTakeover('release by the former holder is refused and the key stays held', async ({ store }, former) => {
    equal(await store.release(former), false, 'release by the former holder')
  }),
  {
    title: 'once the new holder is done, the former one changes nothing',
    async run({ store, request, again, hold, advance, finish, units }) {
      const first = request({ lease: 1 })
      const former = await hold(first)
      await advance(2)
      await finish(await hold(again(first)))
      equal(await store.complete(former, otherResponse, units(10)), false, 'complete by the former holder')
      equal(await store.release(former), false, 'release by the former holder')
      equal(await store.claim(again(first)), { kind: 'done', response: plainResponse }, 'the key afterwards')
    },
  },
]

async function refusedAll({ store, again, request, units }: StoreTools, claim: Claim): Promise<void> {
  equal(await store.complete(claim, otherResponse, units(10)), false, 'complete')
  equal((await store.claim(again(request({ key: claim.key })))).kind, 'pending', 'the key afterwards')
}

/** Takes a key over, lets the former holder `attempt` something, and demands that the new holder noticed nothing. */
function afterTakeover(title: string, attempt: (tools: StoreTools, former: Claim) => Promise<void>): StoreCase {
  return {
    title: `after a takeover, ${title}`,
    async run(tools) {
      const { store, request, again, hold, advance, finish, units } = tools
      const first = request({ lease: 1 })
      const former = await hold(first)
      await advance(2)
      const current = await hold(again(first, { lease: 4 }))
      await attempt(tools, former)
      const result = await store.claim(again(first))
      within(leaseLeftOf(result), 0, units(4), 'leaseLeft of the new holder, who has 4 units')
      await finish(current)
      equal(await store.claim(again(first)), { kind: 'done', response: plainResponse }, 'the key afterwards')
    },
  }
}
