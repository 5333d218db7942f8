import { describe, expect, test } from 'vitest'
import { formatTraceparent, readTraceparent, type TraceparentFault } from './traceparent.js'

const traceId = '4bf92f3577b34da6a3ce929d0e0e4736'
const parentId = '00f067aa0ba902b7'
const base = `${traceId}-${parentId}`
const read = (...values: string[]) => readTraceparent(values)
const parent = (flags: number) => ({ kind: 'parent', traceId, parentId, flags })

describe('a traceparent that is one', () => {
  test.each([
    ['the example of the specification, sampled', `00-${base}-01`, 1],
    ['the example of the specification, not sampled', `00-${base}-00`, 0],
    ['a random trace id', `00-${base}-02`, 2],
    ['a random trace id, sampled', `00-${base}-03`, 3],
    ['flags that nobody knows yet are left out', `00-${base}-ff`, 3],
    ['only flags that nobody knows yet', `00-${base}-fc`, 0],
    ['sampled among others', `00-${base}-09`, 1],
    ['a higher version as long as ours', `cc-${base}-01`, 1],
    ['the next version with more behind a dash', `01-${base}-01-what-the-future-will-be-like`, 1],
    ['the highest version', `fe-${base}-03-`, 3],
    ['space before it', ` 00-${base}-01`, 1],
    ['tabs and spaces around it', `\t 00-${base}-01 \t`, 1],
  ])('%s: %j', (_what, value, flags) => {
    expect(read(value)).toEqual(parent(flags))
  })

  test('is absent where there is no field', () => {
    expect(read()).toEqual({ kind: 'absent' })
  })
})

describe('what is no traceparent', () => {
  const malformed = [
    '',
    ' ',
    `00-${base}`,
    `00-${base}-`,
    `00-${base}-1`,
    `00-${base}-001`,
    `00-${base}-.0`,
    `00-${base}-0.`,
    `00-${base}-01-`,
    `00-${base}-01.`,
    `00-${base}-01-what-the-future-will-be-like`,
    `00-${base}-01, 00-${base}-01`,
    `cc-${base}-01.what-the-future-will-be-like`,
    `cc-${base}-0`,
    `cc-${base}-012`,
    `cc-${base}`,
    `0-${base}-01`,
    `000-${base}-01`,
    `0000-${base}-01`,
    `.0-${base}-01`,
    `0.-${base}-01`,
    `CC-${base}-01`,
    `-${base}-01`,
    `00-${traceId.slice(1)}-${parentId}-01`,
    `00-${traceId}0-${parentId}-01`,
    `00-.${traceId.slice(1)}-${parentId}-01`,
    `00-${traceId.toUpperCase()}-${parentId}-01`,
    `00-${traceId}-${parentId.slice(1)}-01`,
    `00-${traceId}-${parentId}0-01`,
    `00-${traceId}-${parentId.slice(1)}.-01`,
    `00-${traceId}-${parentId.toUpperCase()}-01`,
    `00_${traceId}_${parentId}_01`,
    `00-${base}-01\n`,
    `\n00-${base}-01`,
    `cc-${base}-01-\r\nx-evil: 1`,
    `\u00a000-${base}-01`,
    `00-${base}-０1`,
    `"00-${base}-01"`,
  ]
  const wrong: [TraceparentFault, string[]][] = [
    ...malformed.map((value): [TraceparentFault, string[]] => ['malformed', [value]]),
    ['forbidden-version', [`ff-${base}-01`]],
    ['forbidden-version', [`ff-${base}-01-more`]],
    ['zero-trace-id', [`00-${'0'.repeat(32)}-${parentId}-01`]],
    ['zero-trace-id', [`cc-${'0'.repeat(32)}-${'0'.repeat(16)}-01`]],
    ['zero-parent-id', [`00-${traceId}-${'0'.repeat(16)}-01`]],
    ['repeated', [`00-${base}-01`, `00-${base}-01`]],
    ['repeated', [`00-${base}-01`, '']],
  ]

  test.each(wrong)('is %s: %j', (reason, values) => {
    expect(read(...values)).toEqual({ kind: 'invalid', reason })
  })

  test('is told in time that grows with its length: more would outlast this test', () => {
    for (const char of [' ', '\t', '0', '-', 'a']) {
      const run = char.repeat(2 ** 20)
      expect(read(run)).toMatchObject({ kind: 'invalid' })
      expect(read(`${run}x`)).toMatchObject({ kind: 'invalid' })
      expect(read(`cc-${base}-01${run}\n`)).toMatchObject({ kind: 'invalid' })
    }
  })
})

test.each([
  [0, `00-${base}-00`],
  [3, `00-${base}-03`],
])('flags %i are written as %s', (flags, text) => {
  expect(formatTraceparent(traceId, parentId, flags)).toBe(text)
})
