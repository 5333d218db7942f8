import { expect, test } from 'vitest'
import type { Made } from './load.js'
import { tally } from './tally.js'

const answered = (method: Made['method'], reference: string): Made => ({ method, reference, outcome: { kind: 'answered' } })
const failed = (reference: string, begun: boolean): Made => ({ method: 'POST', reference, outcome: { kind: 'failed', why: begun ? 'body broke off' : 'status 502', begun } })

test('every order once', () => {
  expect(tally([answered('POST', 'a'), answered('GET', 'b'), failed('c', true), failed('d', false)], new Map([['a', 1], ['c', 1]]))).toEqual({
    calls: 4, ok: 2, failed: 2, failed_unanswered: 1, orders: 2, duplicates: 0, missing: 0, failures: 'POST body broke off x 1, POST status 502 x 1',
  })
})

test.each([
  ['an order that was answered and is not there', [answered('POST', 'a'), answered('POST', 'b')], [['a', 1]], { duplicates: 0, missing: 1 }],
  ['an order that is there three times', [answered('POST', 'a')], [['a', 3]], { orders: 3, duplicates: 2, missing: 0 }],
  ['a call that failed, and left its order twice', [failed('a', true)], [['a', 2]], { duplicates: 1, missing: 0 }],
] as const)('%s is counted', (_name, made, rows, figures) => {
  expect(tally(made, new Map(rows))).toMatchObject(figures)
})
