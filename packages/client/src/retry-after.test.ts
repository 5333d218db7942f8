import { describe, expect, test } from 'vitest'
import { backoffDelay } from './backoff.js'
import { retryAfterOf } from './retry-after.js'

const now = Date.UTC(1994, 10, 6, 8, 49, 0)

describe('Retry-After', () => {
  test.each<[string, number]>([
    ['120', 120_000],
    ['0', 0],
    [' 5 ', 5_000],
    ['1.5', 1_500],
    ['Sun, 06 Nov 1994 08:49:37 GMT', 37_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT', 37_000],
    ['Sun Nov  6 08:49:37 1994', 37_000],
    ['Sun, 06 Nov 1994 08:48:00 GMT', 0],
    ['2, 2', 2_000],
    ['1, 5 , 3', 5_000],
    ['soon, 5', 5_000],
    ['Sun, 06 Nov 1994 08:49:37 GMT, Sun, 06 Nov 1994 08:49:38 GMT', 38_000],
    ['Sunday, 06-Nov-94 08:49:37 GMT, 40', 40_000],
    ['Wed, 31 Dec 1997 23:59:60 GMT', Date.UTC(1998, 0, 1) - now],
  ])('%j asks for %i ms', (value, ms) => {
    expect(retryAfterOf(value, now)).toBe(ms)
  })

  test.each(['', '-1', '1e3', 'soon', '2026-11-27T00:00:00Z', 'Sun, 06 Nov 1994 08:49:37 CET', 'Sun, 31 Feb 1994 08:49:37 GMT', 'Sun, 06 Foo 1994 08:49:37 GMT', '06 Nov 1994 08:49:37 GMT', undefined, null])('%j cannot be read', (value) => {
    expect(retryAfterOf(value, now)).toBeUndefined()
  })

  test('a list of any length can be read', () => {
    expect(retryAfterOf(`7${', 1'.repeat(200_000)}`, now)).toBe(7_000)
  })

  test('two digits of a year are of the last century where they would be more than 50 years ahead', () => {
    const wall = Date.UTC(2026, 0, 1)
    expect(retryAfterOf('Friday, 01-Jan-27 00:00:00 GMT', wall)).toBe(365 * 86_400_000)
    expect(retryAfterOf('Saturday, 01-Jan-77 00:00:00 GMT', wall)).toBe(0)
    expect(retryAfterOf('Wednesday, 01-Jan-76 00:00:00 GMT', wall)).toBeGreaterThan(49 * 365 * 86_400_000)
  })
})

describe('the delay', () => {
  const rules = { baseDelay: 50, maxDelay: 5_000, maxRetryAfter: 30_000 }

  test('is anywhere from 0 to a limit that doubles up to 5 s', () => {
    expect([0, 1, 2, 6, 7, 40].map((retries) => backoffDelay(retries, undefined, Infinity, 0.999_999, rules)?.toFixed(0))).toEqual(['50', '100', '200', '3200', '5000', '5000'])
    expect(backoffDelay(3, undefined, Infinity, 0, rules)).toBe(0)
    expect(backoffDelay(1, undefined, Infinity, 0.5, rules)).toBe(50)
  })

  test('is never shorter than Retry-After', () => {
    for (let n = 0; n < 1_000; n += 1) {
      const delay = backoffDelay(n % 5, 2_000, n % 2 === 0 ? Infinity : 2_010, n / 1_000, rules)
      expect(delay).toBeGreaterThanOrEqual(2_000)
    }
  })

  test('is none where Retry-After is beyond 30 s, or beyond the deadline', () => {
    expect(backoffDelay(0, 30_000, Infinity, 0, rules)).toBe(30_000)
    expect(backoffDelay(0, 30_001, Infinity, 0, rules)).toBeUndefined()
    expect(backoffDelay(0, 2_000, 2_000, 0, rules)).toBeUndefined()
    expect(backoffDelay(0, 2_000, 2_001, 0.9, rules)).toBe(2_000)
    expect(backoffDelay(0, undefined, 10, 0.9, rules)).toBeUndefined()
  })
})
