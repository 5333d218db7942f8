import { expect, test } from 'vitest'
import { failuresOf } from './testing/failures-of.js'
import type { Flaws } from './testing/naive-store.js'

const supports = { sharedData: true }

test('without a flaw, the store of these tests meets the contract with two handles', async () => {
  expect(await failuresOf({}, supports)).toEqual([])
})

/** What goes wrong with phases → the cases that say so, all of them and no other. */
const faults: readonly (readonly [what: string, flaw: keyof Flaws, failed: readonly string[]])[] = [
  [
    'forgets phases',
    'forgetsPhases',
    [
      'saved phases come with the claim that takes the key over',
      'the text of a phase comes back exactly',
      'a phase of 64 kB comes back',
      'names of phases are plain text',
      'a phase that is saved again is overwritten, and the others stay',
      'of 10 phases saved at once, all are kept',
      'phases are kept across two takeovers, each of which adds its own',
      'a claim that does not take the key leaves its phases',
      'a holder whose lease is over may save a phase while nobody took the key',
      'a phase from another owner or with another fence is refused and changes nothing',
      'after a takeover, a phase of the former holder is refused and changes nothing',
      'phases saved through one handle are seen, and added to, through the other',
    ],
  ],
  [
    'loses phases in a takeover',
    'takeoverLosesPhases',
    [
      'phases are kept across two takeovers, each of which adds its own',
      'after a takeover, a phase of the former holder is refused and changes nothing',
      'phases saved through one handle are seen, and added to, through the other',
    ],
  ],
  ['keeps phases after a release', 'keepsPhasesAfterRelease', ['phases are gone after a release']],
  [
    'lets anybody save a phase',
    'anybodyMaySavePhases',
    [
      'a phase from another owner or with another fence is refused and changes nothing',
      'after a takeover, a phase of the former holder is refused and changes nothing',
      'a phase of a done key is refused, and the key is free of phases after its retention',
      'phases saved through one handle are seen, and added to, through the other',
    ],
  ],
  ['lets a phase of a done key be saved', 'doneMaySavePhases', ['a phase of a done key is refused, and the key is free of phases after its retention']],
  ['refuses phases of its holder once the lease is over', 'leaseBindsPhases', ['a holder whose lease is over may save a phase while nobody took the key']],
  [
    'keeps one phase only',
    'onePhaseOnly',
    [
      'saved phases come with the claim that takes the key over',
      'the text of a phase comes back exactly',
      'a phase of 64 kB comes back',
      'names of phases are plain text',
      'a phase that is saved again is overwritten, and the others stay',
      'of 10 phases saved at once, all are kept',
      'phases are kept across two takeovers, each of which adds its own',
      'phases saved through one handle are seen, and added to, through the other',
    ],
  ],
  ['keeps the first value of a phase', 'firstPhaseStays', ['a phase that is saved again is overwritten, and the others stay']],
  ['reads and writes the text of a phase', 'parsesPhases', ['the text of a phase comes back exactly']],
  ['sets phases as properties of an object', 'phasesBySetter', ['names of phases are plain text']],
  ['has names of phases in lower case', 'phaseNamesInLowerCase', ['names of phases are plain text']],
  ['reads, awaits, and saves a phase: not atomic', 'awaitsBetweenReadAndSave', ['of 10 phases saved at once, all are kept']],
]

test.each(faults)('a store that %s fails', async (_what, flaw, failed) => {
  expect(await failuresOf({ [flaw]: true }, supports)).toEqual(failed)
})
