import { describe, expect, test } from 'vitest'
import { verdictOf, type Evidence, type Verdict } from './evidence.js'
import { isRetryResponse, remedyOf, retryStatuses, verdictRules, type Repetition, type VerdictRules } from './retry-rules.js'

const each = <T,>(...values: T[]): T[] => values
const everyEvidence: Evidence[] = each<Evidence['sent']>(true, false, 'unknown').flatMap((sent) =>
  each<Evidence['reused']>(true, false, 'unknown').flatMap((reused) =>
    each(0, 1).flatMap((responseBytes) => each(true, false).flatMap((refused) => each(true, false).map((aborted) => ({ sent, reused, responseBytes, refused, aborted }))))))
const everyRepetition: Repetition[] = each(true, false).flatMap((repeatable) =>
  each(true, false).flatMap((replayable) => each(0, 1, 2, 3).flatMap((repairs) => each(0, 1, 2).map((refusals) => ({ repeatable, replayable, repairs, refusals })))))

/** Everything that a table of rules may get wrong, over all that can be known of an attempt. */
function violations(rules: VerdictRules): string[] {
  const found = new Set<string>()
  for (const evidence of everyEvidence) {
    for (const repetition of everyRepetition) {
      const { sent, responseBytes, refused, aborted } = evidence
      const again = remedyOf(verdictOf(evidence), false, repetition, rules).kind !== 'none'
      if (again && !repetition.repeatable && sent !== false && !refused) found.add('a request that is not repeatable may be sent twice')
      if (again && aborted) found.add('an aborted call goes on')
      if (again && responseBytes > 0) found.add('a request that was answered is sent again')
      if (again && !repetition.replayable) found.add('a body that is gone is sent again')
      if (again && refused && !aborted && responseBytes === 0 && repetition.refusals > 0) found.add('a refused request is sent a third time')
      if (remedyOf(verdictOf(evidence), true, repetition, rules).kind !== 'none') found.add('a permanent failure is tried again')
    }
  }
  return [...found].toSorted()
}

test('the table breaks no rule', () => {
  expect(violations(verdictRules)).toEqual([])
})

test.each<[string, Partial<Record<Verdict, VerdictRules[Verdict]>>]>([
  ['a request that is not repeatable may be sent twice', { 'stale-reuse': { requests: 'any', how: 'repair' } }],
  ['a request that is not repeatable may be sent twice', { 'fresh-loss': { requests: 'any', how: 'policy' } }],
  ['a request that was answered is sent again', { 'response-started': { requests: 'repeatable', how: 'policy' } }],
  ['an aborted call goes on', { aborted: { requests: 'repeatable', how: 'policy' } }],
  ['a refused request is sent a third time', { refused: { requests: 'any', how: 'policy' } }],
])('a table in which %s is found out', (what, broken) => {
  expect(violations({ ...verdictRules, ...broken })).toContain(what)
})

describe('the verdict', () => {
  const nothing: Evidence = { sent: 'unknown', reused: 'unknown', responseBytes: 0, refused: false, aborted: false }
  test.each<[Verdict, Partial<Evidence>]>([
    ['not-sent', { sent: false }],
    ['stale-reuse', { sent: true, reused: true }],
    ['fresh-loss', { sent: true, reused: false }],
    ['fresh-loss', { sent: true, reused: 'unknown' }],
    ['fresh-loss', { sent: 'unknown', reused: true }],
    ['fresh-loss', {}],
    ['response-started', { sent: true, reused: true, responseBytes: 1 }],
    ['response-started', { sent: 'unknown', responseBytes: 1, refused: true }],
    ['refused', { sent: true, refused: true }],
    ['aborted', { sent: true, responseBytes: 1, aborted: true }],
  ])('%s: %o', (verdict, evidence) => {
    expect(verdictOf({ ...nothing, ...evidence })).toBe(verdict)
  })

  test('what nobody told is never "not sent"', () => {
    for (const evidence of everyEvidence) if (evidence.sent !== false) expect(verdictOf(evidence)).not.toBe('not-sent')
  })
})

describe('what follows', () => {
  const safe: Repetition = { repeatable: true, replayable: true, repairs: 0, refusals: 0 }
  test('a stale connection: two repairs, the last one on a fresh connection, then by policy', () => {
    expect([0, 1, 2].map((repairs) => remedyOf('stale-reuse', false, { ...safe, repairs }))).toEqual([
      { kind: 'repair', fresh: false },
      { kind: 'repair', fresh: true },
      { kind: 'policy' },
    ])
  })

  test('what was not sent is tried again by policy, whatever the method', () => {
    expect(remedyOf('not-sent', false, { ...safe, repeatable: false })).toEqual({ kind: 'policy' })
  })

  test('a fresh connection that died: by policy, never at once', () => {
    expect(remedyOf('fresh-loss', false, safe)).toEqual({ kind: 'policy' })
  })
})

describe('a response', () => {
  const safe = { repeatable: true, replayable: true }
  test.each(retryStatuses)('%i is tried again, where the request is repeatable', (status) => {
    expect(isRetryResponse(status, undefined, safe)).toBe(true)
    expect(isRetryResponse(status, undefined, { ...safe, repeatable: false })).toBe(false)
    expect(isRetryResponse(status, undefined, { ...safe, replayable: false })).toBe(false)
  })

  test.each([200, 301, 400, 404, 409, 422, 500, 501, 505])('%i is not', (status) => {
    expect(isRetryResponse(status, undefined, safe)).toBe(false)
  })

  test('409 is where the first request with this key still runs, and not where it is another problem', () => {
    expect(isRetryResponse(409, 'urn:hopwise:problem:key-in-progress', safe)).toBe(true)
    expect(isRetryResponse(409, 'urn:hopwise:problem:outcome-unknown', safe)).toBe(false)
    expect(isRetryResponse(422, 'urn:hopwise:problem:key-in-progress', safe)).toBe(false)
  })
})
