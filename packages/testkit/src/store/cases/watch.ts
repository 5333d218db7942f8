import type { Claim, IdempotencyStore } from '@hopwise/core'
import type { StoreCase } from '../case.js'
import { equal } from '../expect.js'
import { plainResponse, type StoreTools } from '../tools.js'

type Ending = readonly [what: string, end: (tools: StoreTools, claim: Claim, through: IdempotencyStore) => Promise<boolean>]

/** What a watcher waits for. */
const endings: readonly Ending[] = [
  ['complete', ({ units }, claim, through) => through.complete(claim, plainResponse, units(1_000))],
  ['release', (_tools, claim, through) => through.release(claim)],
]

/** Whoever watches a key hears when it is done or free again. */
export const watchCases: readonly StoreCase[] = [
  ...endings.map(
    ([what, end]): StoreCase => ({
      title: `a watcher wakes on ${what}`,
      needs: 'watch',
      async run(tools) {
        const claim = await tools.hold(tools.request())
        const watcher = await tools.watch(claim.key)
        equal(await end(tools, claim, tools.store), true, what)
        await watcher.woken()
        watcher.stop()
      },
    }),
  ),
  {
    title: 'a key may be watched before anybody claims it',
    needs: 'watch',
    async run({ request, hold, finish, watch }) {
      const first = request()
      const watcher = await watch(first.key)
      await finish(await hold(first))
      await watcher.woken()
      watcher.stop()
    },
  },
  {
    title: 'no wake-up is lost between a watch that is there and what comes right after it',
    needs: 'watch',
    async run(tools) {
      const { request, hold, watch } = tools
      for (let round = 0; round < 20; round++) {
        const [what, end] = endings[round % 2] as Ending
        const claim = await hold(request())
        const watcher = await watch(claim.key)
        equal(await end(tools, claim, tools.store), true, what)
        await watcher.woken()
        watcher.stop()
      }
    },
  },
  {
    title: 'many watchers of one key all wake',
    needs: 'watch',
    async run({ request, hold, finish, watch }) {
      const claim = await hold(request())
      const watchers = await Promise.all(Array.from({ length: 50 }, () => watch(claim.key)))
      await finish(claim)
      await Promise.all(watchers.map((watcher) => watcher.woken()))
      for (const watcher of watchers) watcher.stop()
    },
  },
  {
    title: 'watchers of many keys each wake for their own',
    needs: 'watch',
    async run({ request, hold, finish, watch }) {
      const claims: Claim[] = []
      for (let count = 0; count < 10; count++) claims.push(await hold(request()))
      const watchers = await Promise.all(claims.map(({ key }) => watch(key)))
      for (const [at, claim] of claims.entries()) {
        await finish(claim)
        await watchers[at]?.woken()
        watchers[at]?.stop()
      }
    },
  },
  {
    title: 'a watcher that was stopped does not wake, and the others do',
    needs: 'watch',
    async run({ request, hold, finish, watch }) {
      const claim = await hold(request())
      // One before and one after, so that whatever the order is, a wake-up for either is there before the last one's.
      const [early, heard, late] = [await watch(claim.key), await watch(claim.key), await watch(claim.key)]
      early.stop()
      late.stop()
      late.stop()
      await finish(claim)
      await heard.woken()
      heard.stop()
      equal([early.count(), late.count()], [0, 0], 'calls after stop')
    },
  },
  {
    title: 'a watcher that was stopped does not wake for the next run either, and one that was not does',
    needs: 'watch',
    async run({ store, request, again, hold, finish, watch }) {
      const first = request()
      const claim = await hold(first)
      const stopped = await watch(claim.key)
      equal(await store.release(claim), true, 'release by the holder')
      await stopped.woken()
      stopped.stop()
      const calls = stopped.count()
      const next = await hold(again(first))
      const watcher = await watch(claim.key)
      await finish(next)
      await watcher.woken()
      watcher.stop()
      equal(stopped.count(), calls, 'calls before and after stop')
    },
  },
  {
    title: 'one function that watches a key twice wakes until both are stopped',
    needs: 'watch',
    async run({ store, request, hold, finish, watch }) {
      const claim = await hold(request())
      let calls = 0
      const wake = (): void => void calls++
      const other = await watch(claim.key)
      const stopOne = await store.watch?.(claim.key, wake)
      const stopTwo = await store.watch?.(claim.key, wake)
      stopOne?.()
      const last = await watch(claim.key)
      await finish(claim)
      await other.woken()
      // The watch that began later may be told later.
      await last.woken()
      stopTwo?.()
      equal(calls > 0, true, 'the second watch wakes')
      for (const watcher of [other, last]) watcher.stop()
    },
  },
  ...endings.map(
    ([what, end]): StoreCase => ({
      title: `a watcher wakes on ${what} through the other handle`,
      needs: ['watch', 'sharedData'],
      async run(tools) {
        const { store, second, hold, request, watch } = tools
        for (const [own, other] of [[store, second], [second, store]] as const) {
          const claim = await hold(request(), own)
          const watcher = await watch(claim.key, own)
          equal(await end(tools, claim, other), true, what)
          await watcher.woken()
          watcher.stop()
        }
      },
    }),
  ),
]
