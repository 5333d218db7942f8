import { expect, test } from 'vitest'
import { show } from './show.js'

test.each<[unknown, string]>([
  ['a "quoted"\nword', '"a \\"quoted\\"\\nword"'],
  ['', '""'],
  [1.5, '1.5'],
  [NaN, 'NaN'],
  [10n, '10'],
  [Symbol('here'), 'Symbol(here)'],
  [null, 'null'],
  [undefined, 'undefined'],
  [true, 'true'],
  [() => 'source that must not be shown', 'a function'],
  [class Secret {}, 'a function'],
  [{ password: 'hunter2' }, 'an object'],
  [['hunter2'], 'an array'],
  [new Error('hunter2'), 'an object'],
])('%o is shown as %s', (value, shown) => {
  expect(show(value)).toBe(shown)
})

test('at most 80 characters are shown', () => {
  expect(show('a'.repeat(78))).toBe(`"${'a'.repeat(78)}"`)
  expect(show('a'.repeat(79))).toBe(`"${'a'.repeat(76)}...`)
  expect(show('a'.repeat(100_000))).toHaveLength(80)
  expect(show(10n ** 200n)).toHaveLength(80)
})
