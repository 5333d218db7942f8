import { describe, expect, test } from 'vitest'
import { farewellDelay, shouldShed } from './ending.js'
import { planDrain, type DrainOptions } from './plan.js'
import type { DrainPhase } from './step.js'

/** The clock does not start at nothing. */
const startedAt = 1_000_000
const at = (after: number) => ({ startedAt, now: startedAt + after })

describe('a request that arrives is answered 503', () => {
  const shed = (options: DrainOptions, phase: DrainPhase, after: number) => shouldShed(planDrain([], options), { phase, ...at(after) })

  test.each<[string, DrainOptions, number, boolean]>([
    ['at the start', {}, 0, false],
    ['just before the last second', {}, 23_999.9, false],
    ['in the last second', {}, 24_000, true],
    ['at the deadline', {}, 25_000, true],
    ['after the deadline, where the end is late', {}, 26_000, true],
    ['not yet in a short last tenth', { deadline: '1s' }, 899.9, false],
    ['in a short last tenth', { deadline: '1s' }, 900, true],
    ['not yet in the shortest', { deadline: 100 }, 89, false],
    ['in the shortest', { deadline: 100 }, 90, true],
    ['not yet in a time of one\'s own', { shedWithin: '10s' }, 14_999, false],
    ['in a time of one\'s own', { shedWithin: '10s' }, 15_000, true],
    ['never before the deadline, where no time is asked for', { shedWithin: 0 }, 24_999.9, false],
    ['from the start on, where the time is longer than the deadline', { shedWithin: '60s' }, 0, true],
  ])('%s: %j, after %d ms: %s', (_what, options, after, expected) => {
    expect(shed(options, 'draining', after)).toBe(expected)
  })

  test.each<DrainPhase>(['ready', 'announcing', 'closed'])('never while %s', (phase) => {
    for (const after of [0, 24_000, 24_999, 25_000, 99_000]) expect(shed({}, phase, after)).toBe(false)
    expect(shed({ shedWithin: '60s' }, phase, 0)).toBe(false)
  })
})

describe('a stream is told after', () => {
  const delay = (options: DrainOptions, after: number, random: number) => farewellDelay(planDrain([], options), at(after), random)

  test.each<[string, DrainOptions, number, readonly [number, number, number]]>([
    ['all of the spread', {}, 0, [0, 1_000, 1_999]],
    ['all of the spread, where twice as much is left', {}, 21_000, [0, 1_000, 1_999]],
    ['the first half of what is left', {}, 22_000, [0, 750, 1_499]],
    ['hardly any time, where hardly any is left', {}, 24_998, [0, 0, 0]],
    ['a spread of one\'s own', { streamSpread: '10s' }, 0, [0, 5_000, 9_999]],
    ['a spread that the deadline bounds', { streamSpread: '10m' }, 0, [0, 6_250, 12_499]],
    ['no spread', { streamSpread: 0 }, 0, [0, 0, 0]],
    ['the half of a short deadline', { deadline: 100 }, 0, [0, 25, 49]],
    ['no time at the deadline', {}, 25_000, [0, 0, 0]],
    ['no time after the deadline', {}, 90_000, [0, 0, 0]],
  ])('%s: %j, after %d ms', (_what, options, after, expected) => {
    expect([0, 0.5, 0.9999999].map((random) => delay(options, after, random))).toEqual(expected)
  })

  test('whole milliseconds, within the spread and the first half of what is left, wherever it is asked', () => {
    for (const streamSpread of [0, 1, 700, 2_000, 60_000]) {
      for (let after = 0; after <= 26_000; after += 137.5) {
        for (let random = 0; random < 1; random += 0.0625) {
          const told = delay({ streamSpread }, after, random)
          const most = Math.min(streamSpread, Math.max(0, 25_000 - after) / 2)
          if (!Number.isInteger(told) || Object.is(told, -0) || told < 0 || told > most) expect.fail(`${told} ms of ${most} ms`)
        }
      }
    }
  })

  test('drawn evenly, farewells are even: each tenth of the spread has its share', () => {
    const tenths = Array.from({ length: 1_000 }, (_, index) => Math.floor(delay({}, 0, index / 1_000) / 200))
    expect(Array.from({ length: 10 }, (_, tenth) => tenths.filter((told) => told === tenth).length)).toEqual(Array.from({ length: 10 }, () => 100))
  })
})
