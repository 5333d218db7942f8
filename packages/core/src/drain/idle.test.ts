import { describe, expect, test } from 'vitest'
import { duration, type DurationInput } from '../duration.js'
import { idleDue } from './idle.js'
import { planDrain, type DrainPlan } from './plan.js'

/** The clock does not start at nothing. */
const start = 1_000_000
const plan = (idleGrace: DurationInput, deadline: DurationInput = '25s'): DrainPlan => planDrain([], { mode: 'refuse-first', idleGrace, deadline })
/** When a connection that was last active `since` after the start is due, after the start. */
const dueAfter = (of: DrainPlan, since: number) => idleDue(of, start, [start + since], -Infinity).nextAt - start

/** All kinds of plans: from no grace to a day, from the shortest deadline to the longest. */
const plans = [0, 1, 50, 300, '1s', '5s', '63s', '2m', '10m', '24h'].flatMap((idleGrace) =>
  [100, 250, '1s', 1_428, '2s', '10s', '25s', '1h'].map((deadline) => plan(idleGrace as DurationInput, deadline as DurationInput)))
/** Last activities in order: long before the drain, around its start, and into it. */
const sincesOf = ({ deadline }: DrainPlan) => [
  -100_000_000, -3_600_000, -600_000, -120_001, -120_000, -63_000, -62_000, -40_000, -5_000, -1_000, -999.5, -1, 0, 0.5, 1, 999,
  ...Array.from({ length: 50 }, (_, index) => Math.round((index / 48) * deadline)).filter((since) => since > 999),
]
/** What the docstring calls the stretch before the deadline: it ends a second (a twentieth of a short deadline) before. */
const rampOf = ({ deadline }: DrainPlan) => {
  const end = deadline - Math.min(1_000, deadline / 20)
  return { begin: end - Math.min(5_000, deadline / 4), end }
}

describe('an idle connection is due', () => {
  test.each<[string, DurationInput, DurationInput, number, number]>([
    ['a grace after its last activity', '5s', '25s', 3_000, 8_000],
    ['a grace after an activity before the drain', '5s', '25s', -2_000, 3_000],
    ['yet not in the first second', '5s', '25s', -4_500, 1_000],
    ['yet not in the first second, however long it was idle', '5s', '25s', -90_000, 1_000],
    ['with a grace of a second, a second after the start where it was idle before', '1s', '25s', -1, 1_000],
    ['with a grace of a second, a second after its last activity', '1s', '25s', 1, 1_001],
    ['with a shorter grace, not before that', '300ms', '25s', -90_000, 300],
    ['with a shorter grace, that after its last activity', '300ms', '25s', 200, 500],
    ['at once without a grace', 0, '25s', -90_000, 0],
    ['at once without a grace (2)', 0, '25s', 7_000, 7_000],
    ['behind nginx, when nginx has let go of it', '63s', '25s', -60_000, 3_000],
    ['behind nginx, where that is past the first second', '63s', '25s', -61_999, 1_001],
    ['behind nginx, where that is in the first second', '63s', '25s', -62_001, 1_000],
    ['where it is as old as the grace when the ramp begins', '63s', '25s', -44_000, 19_000],
    ['on the ramp: a quarter of it down, at three quarters of the grace', '63s', '25s', -27_000, 20_250],
    ['on the ramp: half of it down, at half of the grace', '63s', '25s', -10_000, 21_500],
    ['on the ramp: three quarters of it down, at a quarter of the grace', '63s', '25s', 7_000, 22_750],
    ['at the end of the ramp, where it was active just then', '63s', '25s', 24_000, 24_000],
    ['at the end of the ramp, where it was active after that', '63s', '25s', 24_900, 24_000],
    ['on the ramp with the default grace too, a little before that is over', '1s', '25s', 18_500, 19_416 + 2 / 3],
    ['with a grace of a day, by 2 minutes: older ones all when the ramp begins', '24h', '25s', -101_000, 19_000],
    ['with a grace of a day, by 2 minutes: older ones all when the ramp begins (2)', '24h', '25s', -3_600_000, 19_000],
    ['with a grace of a day, on the ramp: at half of 2 minutes', '24h', '25s', -38_500, 21_500],
    ['with a grace that is over before the ramp, where older ones are left to it', '10m', '25s', -590_000, 10_000],
    ['in the first second of a drain that has no more', '63s', '1s', -63_000, 700],
    ['in the first second of a drain that has no more: at the end of the ramp', '63s', '1s', 950, 950],
    ['in the last third of the shortest drain', '63s', 100, -63_000, 70],
    ['in the last third of the shortest drain: at the end of the ramp', '63s', 100, 95, 95],
    ['within the longest drain, by its grace', '63s', '1h', 1_000_000, 1_063_000],
    ['within the longest drain, where that ends', '63s', '1h', 3_599_000, 3_599_000],
  ])('%s: a grace of %s, a deadline of %s, last active at %d ms: at %d ms', (_what, idleGrace, deadline, since, expected) => {
    expect(dueAfter(plan(idleGrace, deadline), since)).toBeCloseTo(expected, 6)
  })
})

describe('for all plans and all last activities', () => {
  test.each(plans.map((of) => [of.idleGrace, of.deadline, of] as const))('a grace of %i ms and a deadline of %i ms', (idleGrace, deadline, of) => {
    const ramp = rampOf(of)
    const hair = 1e-6
    let before = -Infinity
    for (const since of sincesOf(of)) {
      const due = dueAfter(of, since)
      const what = `last active at ${since} ms, due at ${due} ms`
      expect(due, `${what}: longest idle first`).toBeGreaterThanOrEqual(before)
      expect(due, `${what}: at the end of the ramp at the latest`).toBeLessThanOrEqual(ramp.end + hair)
      expect(due, `${what}: with what is left of the deadline to end it`).toBeLessThan(deadline)
      expect(due, `${what}: with the grace at most`).toBeLessThanOrEqual(Math.max(since + idleGrace, Math.min(idleGrace, 1_000)) + hair)
      expect(due, `${what}: not in the first second, where the deadline leaves it`).toBeGreaterThanOrEqual(Math.min(idleGrace, 1_000, ramp.begin) - hair)
      if (due < ramp.begin - hair) expect(due, `${what}: before the ramp by the grace alone`).toBeCloseTo(Math.max(since + idleGrace, Math.min(idleGrace, 1_000)), 6)
      before = due
    }
  })

  test('those that are due are exactly those up to one last activity, and the next one is the earliest of the others', () => {
    for (const of of plans) {
      const sinces = sincesOf(of).map((since) => start + since)
      const dues = sinces.map((since) => idleDue(of, start, [since], -Infinity).nextAt)
      for (let tenth = 0; tenth <= 20; tenth++) {
        const now = start + (of.deadline * tenth) / 20
        const { closeSince = -Infinity, nextAt } = idleDue(of, start, Object.freeze(sinces), now)
        expect(sinces.filter((since) => since <= closeSince)).toEqual(sinces.filter((_, index) => (dues[index] ?? Infinity) <= now))
        expect(nextAt).toBe(Math.min(...dues.filter((due) => due > now)))
        expect(idleDue(of, start, sinces.toReversed(), now)).toEqual(idleDue(of, start, sinces, now))
        expect(idleDue(of, start, [...sinces, ...sinces], now)).toEqual(idleDue(of, start, sinces, now))
      }
    }
  })

  test('the age at which one is due falls in a line to nothing: connections that were active one after another go one after another', () => {
    const of = plan('63s')
    const dues = Array.from({ length: 68 }, (_, second) => dueAfter(of, -44_000 + second * 1_000))
    for (const [index, due] of dues.entries()) expect(due).toBeCloseTo(19_000 + (index * 5_000) / 68, 6)
  })

  test('a clock of the year 2286 moves nothing by more than a millisecond', () => {
    for (const of of plans) {
      for (const since of sincesOf(of)) expect(Math.abs(idleDue(of, 1e13, [1e13 + since], -Infinity).nextAt - 1e13 - dueAfter(of, since))).toBeLessThan(1)
    }
  })
})

describe('at the edges', () => {
  test('without an idle connection nothing is due, now or ever', () => {
    for (const of of plans) expect(idleDue(of, start, [], start + of.deadline)).toEqual({ nextAt: Infinity })
  })

  test('one that never did anything is due with the longest idle', () => {
    expect(idleDue(plan('5s'), start, [-Infinity], start + 999)).toEqual({ nextAt: start + 1_000 })
    expect(idleDue(plan('5s'), start, [-Infinity], start + 1_000)).toEqual({ closeSince: -Infinity, nextAt: Infinity })
    expect(idleDue(plan('24h'), start, [-Infinity, start], start + 19_000).closeSince).toBe(-Infinity)
  })

  test('one from the future is due at the end of the ramp', () => {
    expect(idleDue(plan('5s'), start, [Infinity], start)).toEqual({ nextAt: start + 24_000 })
    expect(idleDue(plan('5s'), start, [Infinity], start + 24_000)).toEqual({ closeSince: Infinity, nextAt: Infinity })
  })

  test('one of which nothing is known is never due, and does not hide the others', () => {
    expect(idleDue(plan('5s'), start, [Number.NaN], start + 24_500)).toEqual({ nextAt: Infinity })
    expect(idleDue(plan('5s'), start, [start - 9_000, Number.NaN, start], start + 1_000)).toEqual({ closeSince: start - 9_000, nextAt: start + 5_000 })
  })

  test('a deadline that was brought nearer than any option allows still has its ramp', () => {
    const nearer = { ...plan('63s'), deadline: duration(7) }
    expect(dueAfter(nearer, -90_000)).toBeCloseTo(4.9, 6)
    expect(dueAfter(nearer, 7)).toBeCloseTo(6.65, 6)
  })
})
