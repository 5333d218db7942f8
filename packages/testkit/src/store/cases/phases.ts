import type { Claim, SavedPhases } from '@hopwise/core'
import type { StoreCase } from '../case.js'
import { equal } from '../expect.js'
import { claimed, otherFingerprint, plainResponse, type StoreTools } from '../tools.js'

/** JSON texts that a store which reads and writes them again, or which puts them into SQL or Lua unescaped, would change. */
const awkward: SavedPhases = {
  spaces: '{ "b" : 1.0 ,\n"a":[ ] , "a":12345678901234567890 }',
  quotes: '"it\'s \\"quoted\\", \\\\ and `$1` %s {{x}} -- ; \\u0000"',
  unicode: '"caf\u00e9 \u{1f600} \u2028 \ud55c\uad6d\uc5b4 e\u0301 \\ud83d"',
  null: 'null',
  text: '""',
}

/** Names that mean something else to an object, a path, or a pattern; the last is as long as names get. */
const oddNames = ['__proto__', 'constructor', 'toString', 'a.b', '$.a[0]', '"quoted"', "it's", '%', '0', 'Charge', 'charge', 'n'.repeat(64)]

/** A finished phase of a run that came to nothing else is there for the run that takes the key over, and for no other. */
export const phaseCases: readonly StoreCase[] = [
  {
    title: 'a fresh claim has no phases',
    async run({ store, request, again, advance }) {
      const first = request({ lease: 1 })
      claimed(await store.claim(first), 1, 'a fresh key')
      await advance(2)
      claimed(await store.claim(again(first)), 2, 'a takeover from a run that saved nothing')
    },
  },
  takenOver('saved phases come with the claim that takes the key over', { charge: '{"id":"ch_1"}', mail: 'true' }),
  takenOver('the text of a phase comes back exactly', awkward),
  takenOver('a phase of 64 kB comes back', { large: JSON.stringify('x\u00e9'.repeat(22_000)), small: '1' }),
  takenOver('names of phases are plain text', Object.fromEntries(oddNames.map((name, at) => [name, String(at)]))),
  {
    title: 'a phase that is saved again is overwritten, and the others stay',
    async run(tools) {
      const { request, hold } = tools
      const first = request({ lease: 1 })
      const claim = await hold(first)
      await save(tools, claim, { charge: '1', mail: '2' })
      await save(tools, claim, { charge: '"again"' })
      await findsPhases(tools, claim, 2, { mail: '2', charge: '"again"' })
    },
  },
  {
    title: 'of 10 phases saved at once, all are kept',
    async run(tools) {
      const claim = await tools.hold(tools.request({ lease: 1 }))
      const phases = Object.fromEntries(Array.from({ length: 10 }, (_, at) => [`phase-${at}`, String(at)]))
      const saved = await Promise.all(Object.entries(phases).map(([name, value]) => tools.store.savePhase(claim, name, value)))
      equal(saved, saved.map(() => true), 'savePhase by the holder')
      await findsPhases(tools, claim, 2, phases)
    },
  },
  {
    title: 'phases are kept across two takeovers, each of which adds its own',
    async run(tools) {
      const { store, request, again, hold, advance } = tools
      const first = request({ lease: 1 })
      await save(tools, await hold(first), { one: '1' })
      await advance(2)
      const next = again(first, { lease: 1 })
      claimed(await store.claim(next), 2, 'the first takeover', { one: '1' })
      await save(tools, { ...next, fence: 2 }, { two: '2' })
      await findsPhases(tools, { ...next, fence: 2 }, 3, { one: '1', two: '2' })
    },
  },
  {
    title: 'a claim that does not take the key leaves its phases',
    async run(tools) {
      const { store, request, again, hold, advance } = tools
      const first = request({ lease: 1 })
      const claim = await hold(first)
      await save(tools, claim, { one: '1' })
      equal((await store.claim(again(first))).kind, 'pending', 'while it is held')
      await advance(2)
      equal(await store.claim(again(first, { expired: 'report' })), { kind: 'expired', fence: 1 }, 'a report')
      equal(await store.claim(again(first, { fingerprint: otherFingerprint })), { kind: 'mismatch' }, 'with another fingerprint')
      claimed(await store.claim(again(first, { expired: 1 })), 2, 'a takeover that names the fence', { one: '1' })
    },
  },
  {
    title: 'a holder whose lease is over may save a phase while nobody took the key',
    async run(tools) {
      const { store, request, again, hold, advance } = tools
      const first = request({ lease: 1 })
      const claim = await hold(first)
      await advance(2)
      await save(tools, claim, { late: '1' })
      claimed(await store.claim(again(first)), 2, 'the takeover', { late: '1' })
    },
  },
  {
    title: 'a phase from another owner or with another fence is refused and changes nothing',
    async run(tools) {
      const { store, hold, request } = tools
      const claim = await hold(request({ lease: 1 }))
      await save(tools, claim, { one: '1' })
      for (const name of ['one', 'two']) {
        equal(await store.savePhase({ ...claim, owner: crypto.randomUUID() }, name, '9'), false, 'another owner')
        equal(await store.savePhase({ ...claim, fence: claim.fence + 1 }, name, '9'), false, 'a later fence')
        equal(await store.savePhase({ ...claim, fence: claim.fence - 1 }, name, '9'), false, 'an earlier fence')
      }
      await findsPhases(tools, claim, 2, { one: '1' })
    },
  },
  {
    title: 'after a takeover, a phase of the former holder is refused and changes nothing',
    async run(tools) {
      const { store, request, again, hold, advance } = tools
      const first = request({ lease: 1 })
      const former = await hold(first)
      await save(tools, former, { one: '1' })
      await advance(2)
      const current = await hold(again(first, { lease: 1 }))
      for (const name of ['one', 'stale']) equal(await store.savePhase(former, name, '9'), false, 'savePhase by the former holder')
      await findsPhases(tools, current, 3, { one: '1' })
    },
  },
  {
    title: 'a phase of a key that nobody claimed is refused and leaves nothing',
    async run({ store, request }) {
      const { key, owner } = request()
      equal(await store.savePhase({ key, owner, fence: 1 }, 'one', '1'), false, 'savePhase')
      claimed(await store.claim(request({ key })), 1, 'the first claim afterwards')
    },
  },
  {
    title: 'a phase of a done key is refused, and the key is free of phases after its retention',
    async run(tools) {
      const { store, request, again, hold, advance, units } = tools
      const first = request()
      const claim = await hold(first)
      await save(tools, claim, { one: '1' })
      equal(await store.complete(claim, plainResponse, units(2)), true, 'complete by the holder')
      equal(await store.savePhase(claim, 'two', '2'), false, 'savePhase after complete')
      equal(await store.claim(again(first)), { kind: 'done', response: plainResponse }, 'the key afterwards')
      await advance(3)
      const next = again(first)
      const result = await store.claim(next)
      // Whether the fence goes on after the retention is the store's own affair.
      claimed(result, result.kind === 'claimed' ? result.fence : 1, 'the key after its retention')
      equal(await store.savePhase(claim, 'three', '3'), false, 'savePhase by the former holder')
    },
  },
  {
    title: 'phases are gone after a release',
    async run(tools) {
      const { store, request, again, hold, advance } = tools
      const first = request()
      const claim = await hold(first)
      await save(tools, claim, { one: '1' })
      equal(await store.release(claim), true, 'release by the holder')
      equal(await store.savePhase(claim, 'two', '2'), false, 'savePhase after the release')
      claimed(await store.claim(again(first, { lease: 1 })), 2, 'the next claim')
      await advance(2)
      claimed(await store.claim(again(first)), 3, 'the takeover after it')
    },
  },
  {
    title: 'phases saved through one handle are seen, and added to, through the other',
    needs: 'sharedData',
    async run(tools) {
      const { store, second, request, again, hold, advance } = tools
      const first = request({ lease: 1 })
      const claim = await hold(first)
      await save(tools, claim, { one: '1' })
      equal(await second.savePhase(claim, 'two', '2'), true, 'savePhase through the other handle')
      await advance(2)
      claimed(await second.claim(again(first, { lease: 1 })), 2, 'a takeover through the other handle', { one: '1', two: '2' })
      equal(await store.savePhase(claim, 'three', '3'), false, 'savePhase by the former holder')
      await advance(2)
      claimed(await store.claim(again(first)), 3, 'a takeover through the first handle', { one: '1', two: '2' })
    },
  },
]

async function save({ store }: StoreTools, claim: Claim, phases: SavedPhases): Promise<void> {
  for (const [name, value] of Object.entries(phases)) equal(await store.savePhase(claim, name, value), true, `savePhase of ${name} by the holder`)
}

/** Lets the lease of `claim`, of 1 unit, run out, takes the key over, and demands these phases. */
async function findsPhases({ store, request, advance }: StoreTools, { key }: Claim, fence: number, phases: SavedPhases): Promise<void> {
  await advance(2)
  claimed(await store.claim(request({ key })), fence, 'the takeover', phases)
}

function takenOver(title: string, phases: SavedPhases): StoreCase {
  return {
    title,
    async run(tools) {
      const claim = await tools.hold(tools.request({ lease: 1 }))
      await save(tools, claim, phases)
      await findsPhases(tools, claim, 2, phases)
    },
  }
}
