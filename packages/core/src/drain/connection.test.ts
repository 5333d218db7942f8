import { describe, expect, test } from 'vitest'
import { duration } from '../duration.js'
import { connectionDecision, jitteredAge, type ConnectionView } from './connection.js'
import type { DrainPhase } from './step.js'

const phases = ['ready', 'announcing', 'draining', 'closed'] as const
/** A young connection that nothing limits. */
const view = (changes: Partial<ConnectionView> = {}): ConnectionView => ({
  phase: 'ready',
  pipelinedBehind: 0,
  requests: 1,
  maxRequests: Infinity,
  age: 0,
  maxAge: Infinity,
  ...changes,
})
const usedUp = { requests: 100, maxRequests: 100 }
const tooOld = { age: 60_000, maxAge: 60_000 }

describe('without limits, the phase decides', () => {
  test.each<[DrainPhase, number, 'keep' | 'close']>([
    ['ready', 0, 'keep'],
    ['ready', 3, 'keep'],
    ['announcing', 0, 'keep'],
    ['announcing', 3, 'keep'],
    ['draining', 0, 'close'],
    ['draining', 1, 'keep'],
    ['draining', 3, 'keep'],
    ['closed', 0, 'close'],
    ['closed', 1, 'keep'],
  ])('%s with %i requests behind: %s', (phase, pipelinedBehind, decision) => {
    expect(connectionDecision(view({ phase, pipelinedBehind }))).toBe(decision)
    expect(connectionDecision(view({ phase, pipelinedBehind, requests: 1e9, age: 1e12 }))).toBe(decision)
  })
})

describe('while ready, the limits decide', () => {
  test.each<[string, Partial<ConnectionView>, 'keep' | 'close']>([
    ['the last request but one', { requests: 99, maxRequests: 100 }, 'keep'],
    ['the last request', { requests: 100, maxRequests: 100 }, 'close'],
    ['a request beyond the limit, since it was sent ahead', { requests: 103, maxRequests: 100 }, 'close'],
    ['one request a connection', { requests: 1, maxRequests: 1 }, 'close'],
    ['not old enough', { age: 59_999.9, maxAge: 60_000 }, 'keep'],
    ['just old enough', { age: 60_000, maxAge: 60_000 }, 'close'],
    ['much too old', { age: 1e9, maxAge: 60_000 }, 'close'],
    ['too old, with requests left', { ...tooOld, requests: 1, maxRequests: 100 }, 'close'],
    ['used up, and young', { ...usedUp, age: 0, maxAge: 60_000 }, 'close'],
    ['used up, but more was sent ahead', { ...usedUp, pipelinedBehind: 1 }, 'keep'],
    ['too old, but more was sent ahead', { ...tooOld, pipelinedBehind: 2 }, 'keep'],
  ])('%s: %s', (_what, changes, decision) => {
    expect(connectionDecision(view(changes))).toBe(decision)
  })
})

test.each([
  ['used up', usedUp],
  ['too old', tooOld],
  ['both', { ...usedUp, ...tooOld }],
])('while announcing a connection that is %s lives on: its close would bring a new one to a listener that is about to go', (_what, worn) => {
  expect(phases.map((phase) => connectionDecision(view({ phase, ...worn })))).toEqual(['close', 'keep', 'close', 'close'])
})

test.each<[string, Partial<ConnectionView>]>([
  ['while draining', { phase: 'draining' }],
  ['beyond the number of requests', { maxRequests: 3 }],
  ['on a connection that is too old', tooOld],
])('of pipelined responses %s exactly the last one says close', (_what, changes) => {
  const waiting = 5
  const decisions = Array.from({ length: waiting }, (_, sent) => connectionDecision(view({ ...changes, requests: sent + 1, pipelinedBehind: waiting - 1 - sent })))
  expect(decisions).toEqual(['keep', 'keep', 'keep', 'keep', 'close'])
})

describe('the age limit of one connection', () => {
  test.each([
    [0, 54_000],
    [0.25, 57_000],
    [0.5, 60_000],
    [0.75, 63_000],
    [1, 66_000],
  ])('with %d drawn is %i ms of a minute', (random, limit) => {
    expect(jitteredAge(duration('1m'), random)).toBeCloseTo(limit, 6)
  })

  test('is none where there is none, whatever was drawn', () => {
    expect([0, 0.5, 1].map((random) => jitteredAge(undefined, random))).toEqual([Infinity, Infinity, Infinity])
  })
})
