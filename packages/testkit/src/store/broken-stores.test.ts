import { expect, test } from 'vitest'
import { failuresOf } from './testing/failures-of.js'
import type { Flaws } from './testing/naive-store.js'

test('without a flaw, the store of these tests meets the contract', async () => {
  expect(await failuresOf({})).toEqual([])
})

/** What goes wrong → the cases that say so, all of them and no other. */
const faults: readonly (readonly [what: string, flaw: keyof Flaws, failed: readonly string[]])[] = [
  [
    'reads, awaits, and writes: not atomic',
    'awaitsBetweenReadAndWrite',
    [
      'of 50 claims of a fresh key at once, one has it and the others are pending',
      'of 20 takers of a lease that is over at once, one has it',
      'of 20 takers that name the fence at once, one has it',
      'of 20 claims of a released key at once, one has it',
    ],
  ],
  [
    'lets anybody complete',
    'anybodyMayComplete',
    [
      'complete by another owner with the right fence is refused and changes nothing',
      'complete by the right owner with another fence is refused and changes nothing',
      'after a takeover, complete by the former holder is refused, and the new holder still completes',
      'nothing of a record is left after its retention',
    ],
  ],
  [
    'checks the owner but not the fence',
    'checksOnlyOwner',
    [
      'complete by the right owner with another fence is refused and changes nothing',
      'renew by anybody else is refused and does not lengthen the lease',
      'release by anybody else is refused and the key stays held',
      'a phase from another owner or with another fence is refused and changes nothing',
    ],
  ],
  [
    'checks the fence but not the owner',
    'checksOnlyFence',
    [
      'complete by another owner with the right fence is refused and changes nothing',
      'renew by anybody else is refused and does not lengthen the lease',
      'release by anybody else is refused and the key stays held',
      'nothing of a record is left after its retention',
      'a phase from another owner or with another fence is refused and changes nothing',
      'a phase of a done key is refused, and the key is free of phases after its retention',
    ],
  ],
  [
    'lets a done key be completed again',
    'doneMayBeCompleted',
    [
      'of 10 completes by the holder at once, one succeeds',
      'a done key cannot be completed, renewed or released again',
      'a phase of a done key is refused, and the key is free of phases after its retention',
    ],
  ],
  [
    'refuses its holder once the lease is over',
    'leaseBindsItsHolder',
    [
      'a holder whose lease is over may complete while nobody took the key',
      'a holder whose lease is over may renew while nobody took the key',
      'a holder whose lease is over may release while nobody took the key',
      'a holder whose lease is over may save a phase while nobody took the key',
    ],
  ],
  [
    'lets anybody renew and release',
    'anybodyMayRenewAndRelease',
    [
      'renew by anybody else is refused and does not lengthen the lease',
      'release by anybody else is refused and the key stays held',
      'after a takeover, renew by the former holder is refused and does not lengthen the lease',
      'after a takeover, release by the former holder is refused and the key stays held',
    ],
  ],
  [
    'leaves it to a sweep to free a key',
    'neverForgets',
    [
      'a done key is free on the first claim after its retention',
      'a pending key is free on the first claim after its retention',
      'nothing of a record is left after its retention',
      'a done key is kept for its retention, counted from complete',
      'a phase of a done key is refused, and the key is free of phases after its retention',
    ],
  ],
  [
    'ignores the fingerprint',
    'ignoresFingerprint',
    [
      'a held key with another fingerprint is a mismatch, not pending',
      'a done key with another fingerprint is a mismatch',
      'a lease that is over with another fingerprint is a mismatch',
      'a released key is free for another fingerprint, which then is the only one',
      'a claim that does not take the key leaves its phases',
    ],
  ],
  [
    'says pending before mismatch',
    'pendingBeforeMismatch',
    [
      'a held key with another fingerprint is a mismatch, not pending',
      'a released key is free for another fingerprint, which then is the only one',
    ],
  ],
  [
    'has one scope for all keys',
    'oneKeyForAll',
    [
      'a fresh key is claimed whatever the claim says of expired leases',
      'different keys do not meet',
      'a released key is free whatever the claim says of expired leases',
      'a done key is free on the first claim after its retention',
      'a pending key is free on the first claim after its retention',
      'a sweep removes at most its limit, and gives how many',
      'a sweep removes only what is over',
    ],
  ],
  [
    'keeps the body as text',
    'bodyAsText',
    [
      'replays every byte value, and bytes that are not text',
      'replays a body of 1 MiB',
    ],
  ],
  [
    'takes an empty body for none',
    'emptyBodyIsNone',
    [
      'replays an empty body as an empty body',
    ],
  ],
  [
    'keeps the fields as an object',
    'fieldsAsObject',
    [
      'replays repeated fields, their order and the case of their names',
    ],
  ],
  [
    'never takes over',
    'neverTakesOver',
    [
      'after a takeover, complete by the former holder is refused, and the new holder still completes',
      'after a takeover, renew by the former holder is refused and does not lengthen the lease',
      'after a takeover, release by the former holder is refused and the key stays held',
      'once the new holder is done, the former one changes nothing',
      'renew lengthens the lease, counted from the renewal',
      'a lease that is over is taken with the next fence, and then holds for the new owner',
      'fences grow with each takeover',
      'a lease that is over is only reported where the claim says so, as often as it is asked',
      'a claim that names the fence of a lease that is over takes it',
      'a claim that names another fence does not take it',
      'of 20 takers of a lease that is over at once, one has it',
      'of 20 takers that name the fence at once, one has it',
      'a holder whose lease is over may complete while nobody took the key',
      'a sweep removes only what is over',
      'a fresh claim has no phases',
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
      'phases are gone after a release',
    ],
  ],
  [
    'takes over though told to report',
    'alwaysTakesOver',
    [
      'a lease that is over is only reported where the claim says so, as often as it is asked',
      'a claim that names another fence does not take it',
      'a holder whose lease is over may complete while nobody took the key',
      'a sweep removes only what is over',
      'a claim that does not take the key leaves its phases',
    ],
  ],
  [
    'deletes a released key',
    'releaseForgetsFence',
    [
      'a released key cannot be completed, renewed or released by its former holder',
      'a holder whose lease is over may release while nobody took the key',
      'the claim after a release has the next fence',
      'a released key is free for another fingerprint, which then is the only one',
      'a released key is free whatever the claim says of expired leases',
      'of 20 claims of a released key at once, one has it',
      'a sweep removes only what is over',
      'phases are gone after a release',
    ],
  ],
  [
    'keeps the fingerprint of a released key',
    'releaseKeepsFingerprint',
    [
      'a released key is free for another fingerprint, which then is the only one',
    ],
  ],
  [
    'lets a record end before its renewed lease',
    'renewIgnoresRetention',
    [
      'a record is kept beyond its retention for as long as its lease is renewed',
    ],
  ],
  [
    'counts the retention from the claim',
    'retentionFromClaim',
    [
      'a done key is free on the first claim after its retention',
      'nothing of a record is left after its retention',
      'a done key is kept for its retention, counted from complete',
      'a sweep removes at most its limit, and gives how many',
      'a phase of a done key is refused, and the key is free of phases after its retention',
    ],
  ],
  [
    'sweeps what is alive',
    'sweepsAll',
    [
      'a record is kept beyond its retention for as long as its lease is renewed',
      'a retention shorter than the lease does not end the lease',
      'a sweep removes at most its limit, and gives how many',
      'a sweep removes only what is over',
    ],
  ],
  [
    'sweeps beyond its limit',
    'sweepIgnoresLimit',
    [
      'a sweep removes at most its limit, and gives how many',
    ],
  ],
  [
    "gives the caller's lease for what is left",
    'leaseLeftOfCaller',
    [
      'a held key is pending, with what is left of its lease',
      'renew by anybody else is refused and does not lengthen the lease',
      'after a takeover, complete by the former holder is refused, and the new holder still completes',
      'after a takeover, renew by the former holder is refused and does not lengthen the lease',
      'after a takeover, release by the former holder is refused and the key stays held',
      'renew lengthens the lease, counted from the renewal',
    ],
  ],
  [
    'adds a renewal to what is left',
    'renewAddsUp',
    [
      'renew lengthens the lease, counted from the renewal',
    ],
  ],
  [
    'keeps the whole buffer of a body',
    'wholeBuffer',
    [
      'replays a body that is a part of a larger buffer',
    ],
  ],
  [
    'keeps the very bytes that it was given',
    'keepsGivenBytes',
    [
      'replays bytes of its own: what is done to those given or got before does not matter',
    ],
  ],
  [
    'gives the very bytes that it keeps',
    'givesKeptBytes',
    [
      'replays bytes of its own: what is done to those given or got before does not matter',
    ],
  ],
  [
    'forgets the request id',
    'forgetsRequestId',
    [
      'different keys do not meet',
      'replays status, fields, body and request id',
      'replays repeated fields, their order and the case of their names',
      'replays a response without any field',
      'replays every byte value, and bytes that are not text',
      'replays a body that is a part of a larger buffer',
      'replays an empty body as an empty body',
      'replays a body that was not kept as null',
      'replays a body of 1 MiB',
      'replays as often as it is asked, and whatever the claim says of expired leases',
      'a done key cannot be completed, renewed or released again',
      'after a takeover, complete by the former holder is refused, and the new holder still completes',
      'after a takeover, renew by the former holder is refused and does not lengthen the lease',
      'after a takeover, release by the former holder is refused and the key stays held',
      'once the new holder is done, the former one changes nothing',
      'a holder whose lease is over may complete while nobody took the key',
      'a done key is kept for its retention, counted from complete',
      'a record is kept beyond its retention for as long as its lease is renewed',
      'a sweep removes only what is over',
      'a phase of a done key is refused, and the key is free of phases after its retention',
    ],
  ],
]

test.each(faults)('a store that %s fails', async (_what, flaw, failed) => {
  expect(await failuresOf({ [flaw]: true })).toEqual(failed)
})
