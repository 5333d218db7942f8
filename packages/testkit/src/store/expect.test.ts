import { expect, test } from 'vitest'
import { equal, within } from './expect.js'

test('plain data is compared by value, bytes too', () => {
  equal({ a: [1, 'x', null], b: Uint8Array.of(1, 2) }, { b: Uint8Array.of(1, 2), a: [1, 'x', null] }, 'it')
  equal(Buffer.from([1, 2]), Uint8Array.of(1, 2), 'a Buffer')
  equal({ a: undefined }, {}, 'an absent property')
})

test.each([
  ['a number', 1, 2],
  ['an order', [1, 2], [2, 1]],
  ['a length', [1, 2], [1]],
  ['a byte', Uint8Array.of(0, 255), Uint8Array.of(0, 254)],
  ['bytes and null', Uint8Array.of(), null],
  ['bytes and text', 'ab', Uint8Array.of(97, 98)],
  ['bytes and a list', [1, 2], Uint8Array.of(1, 2)],
  ['a property more', { a: 1, b: 2 }, { a: 1 }],
  ['a property less', { a: 1 }, { a: 1, b: null }],
  ['an object and a list', {}, []],
])('%s that differs is told', (_what, actual, expected) => {
  expect(() => equal(actual, expected, 'it')).toThrow(/^it: expected /)
  expect(() => equal(expected, actual, 'it')).toThrow(/^it: expected /)
})

test('the message has both values, bytes in hex and shortened', () => {
  expect(() => equal({ body: new Uint8Array(1_000) }, { body: Uint8Array.of(255) }, 'the replay')).toThrow(
    `the replay: expected {"body":"1 bytes ff"}, got {"body":"1000 bytes ${'00'.repeat(32)}..."}`,
  )
  expect(() => equal('x'.repeat(5_000), 1, 'it')).toThrow(/^.{600,700}$/)
})

test('a range excludes its lower end and includes its upper one', () => {
  within(2, 1, 2, 'it')
  expect(() => within(1, 1, 2, 'it')).toThrow('it: expected more than 1 and at most 2, got 1')
  expect(() => within(2.1, 1, 2, 'it')).toThrow('got 2.1')
  expect(() => within(NaN, 1, 2, 'it')).toThrow('got "NaN"')
})
