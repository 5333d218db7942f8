import { describe, expect, test } from 'vitest'
import { duration, formatDuration, longestTimer, tryDuration, wholeSeconds, type Duration, type DurationInput } from './duration.js'

describe('duration', () => {
  test.each<[DurationInput, number]>([
    ['0ms', 0],
    ['250ms', 250],
    ['75s', 75_000],
    ['1m', 60_000],
    ['1.5m', 90_000],
    ['2h', 7_200_000],
    ['1d', 86_400_000],
    ['0.5s', 500],
    [0, 0],
    [1, 1],
    [75_000, 75_000],
    [1.4, 1],
    [1.6, 2],
    ['1.4ms', 1],
  ])('reads %j as %i ms', (input, ms) => {
    expect(duration(input)).toBe(ms)
    expect(tryDuration(input)).toBe(ms)
  })

  test.each<unknown>([
    '75', '', ' ', 's', 'NaN', 'NaNs', 'Infinity', 'Infinitys', '-1s', '+1s', '1 s', ' 1s', '1s ', '1s\n', '1S', '1sec', '1e3s', '1.s', '.5s',
    '0x10s', '1,5s', '1s1s', '१s', '9007199254740993s', `1${'0'.repeat(400)}s`,
    NaN, Infinity, -Infinity, -1, -0.4, Number.MAX_SAFE_INTEGER + 2, 1e300,
    null, undefined, true, {}, [], ['75s'], 75n, Symbol('75s'), new Date(0), { valueOf: () => 1 },
  ])('refuses %o', (input) => {
    expect(tryDuration(input)).toBeUndefined()
    expect(() => duration(input as DurationInput)).toThrow(expect.objectContaining({ name: 'HopwiseError', code: 'option-invalid' }))
  })

  test.each<[unknown, string]>([
    ['75', '"75"'],
    [NaN, 'NaN'],
    [-Infinity, '-Infinity'],
    [-3, '-3'],
    [null, 'null'],
    [7n, '7'],
    [{ secret: 'hunter2' }, 'an object'],
    [() => 1, 'a function'],
  ])('says what is allowed and that it got %o', (input, shown) => {
    expect(() => duration(input as DurationInput)).toThrow(
      `expected a duration such as '500ms', '75s', '2h', '1d', or milliseconds, got ${shown}`,
    )
  })

  test('cuts a long wrong value', () => {
    const { message } = thrownBy(() => duration('x'.repeat(10_000) as DurationInput))
    expect(message.length).toBeLessThan(200)
    expect(message).toMatch(/got "x+\.\.\.$/)
  })

  test('an object that refers to itself is refused like any other', () => {
    const loop: { self?: unknown } = {}
    loop.self = loop
    expect(thrownBy(() => duration(loop as unknown as DurationInput))).toMatchObject({ code: 'option-invalid' })
  })

  test('unit sizes: n of a unit is n times one of it', () => {
    for (const [unit, size] of [['ms', 1], ['s', 1_000], ['m', 60_000], ['h', 3_600_000], ['d', 86_400_000]] as const) {
      for (let n = 0; n <= 500; n++) expect(duration(`${n}${unit}`)).toBe(n * size)
    }
  })
})

describe('formatDuration', () => {
  test.each([
    [0, '0ms'],
    [1, '1ms'],
    [999, '999ms'],
    [1_000, '1s'],
    [1_500, '1500ms'],
    [60_000, '60s'],
    [75_000, '75s'],
    [90_000, '90s'],
    [120_000, '2m'],
    [3_600_000, '1h'],
    [5_400_000, '90m'],
    [86_400_000, '1d'],
    [90_000_000, '25h'],
  ])('writes %i ms as %s', (ms, text) => {
    expect(formatDuration(ms as Duration)).toBe(text)
  })

  test('what it writes is read back as the same', () => {
    const next = sequence(1)
    for (let ms = 0; ms <= 130_000; ms += ms < 3_000 ? 1 : 500) expectRoundTrip(ms)
    for (let round = 0; round < 20_000; round++) expectRoundTrip(Math.floor(next() * 10 ** (1 + (round % 12))))
    for (const size of [1_000, 60_000, 3_600_000, 86_400_000]) {
      for (let n = 1; n <= 200; n++) for (const off of [-1, 0, 1]) expectRoundTrip(n * size + off)
    }
  })
})

test('wholeSeconds rounds up', () => {
  expect([0, 1, 999, 1_000, 1_001, 59_999, 60_000].map((ms) => wholeSeconds(ms as Duration))).toEqual([0, 1, 1, 1, 2, 60, 60])
})

test('longestTimer is the largest signed 32-bit number', () => {
  expect(longestTimer).toBe(2 ** 31 - 1)
})

function expectRoundTrip(ms: number): void {
  const text = formatDuration(ms as Duration)
  if (tryDuration(text) !== ms) expect.fail(`${ms} ms was written as ${text}, which is ${tryDuration(text)} ms`)
}

function thrownBy(run: () => unknown): Error {
  try {
    run()
  } catch (error) {
    if (error instanceof Error) return error
  }
  return expect.fail('nothing was thrown')
}

/** Numbers from 0 to 1, the same in each run (mulberry32). */
function sequence(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}
