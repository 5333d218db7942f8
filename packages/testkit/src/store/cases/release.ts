import type { StoreCase } from '../case.js'
import { equal } from '../expect.js'
import { claimed, oneWinner, otherFingerprint, type StoreTools } from '../tools.js'

/** A key that was given back is free for anybody, and remembers its fence. */
export const releaseCases: readonly StoreCase[] = [
  {
    title: 'the claim after a release has the next fence',
    async run(tools) {
      const { store, again } = tools
      const first = await released(tools)
      claimed(await store.claim(again(first)), 2, 'the claim')
      equal((await store.claim(again(first))).kind, 'pending', 'the key afterwards')
    },
  },
  {
    title: 'a released key is free for another fingerprint, which then is the only one',
    async run(tools) {
      const { store, again } = tools
      const first = await released(tools)
      const other = again(first, { fingerprint: otherFingerprint })
      claimed(await store.claim(other), 2, 'the claim')
      equal((await store.claim(again(other))).kind, 'pending', 'the new fingerprint afterwards')
      equal(await store.claim(again(first)), { kind: 'mismatch' }, 'the old fingerprint afterwards')
    },
  },
  {
    title: 'a released key is free whatever the claim says of expired leases',
    async run(tools) {
      for (const expired of ['take', 'report', 1, 2] as const) {
        const first = await released(tools)
        claimed(await tools.store.claim(tools.again(first, { expired })), 2, `with ${expired}`)
      }
    },
  },
  {
    title: 'of 20 claims of a released key at once, one has it',
    async run(tools) {
      const first = await released(tools)
      oneWinner(await Promise.all(Array.from({ length: 20 }, () => tools.store.claim(tools.again(first)))), 2)
    },
  },
]

async function released({ store, request, hold }: StoreTools) {
  const first = request()
  equal(await store.release(await hold(first)), true, 'release by the holder')
  return first
}
