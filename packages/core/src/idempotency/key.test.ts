import { describe, expect, test } from 'vitest'
import { readKey } from './key.js'

const key = (value: string) => readKey([value])

describe('readKey', () => {
  test('no field is no key', () => {
    expect(readKey([])).toBeUndefined()
  })

  test.each([
    ['8e03978e-40d5-43dd-bc93-6894a57f9324', '"8e03978e-40d5-43dd-bc93-6894a57f9324"'],
    ['a', '"a"'],
    ["it's=(a)[key]{of}<all>!#$%&*+/:?@^_`|~", '"it\'s=(a)[key]{of}<all>!#$%&*+/:?@^_`|~"'],
  ])('%s is the same key bare and quoted', (bare, quoted) => {
    expect(key(bare)).toBe(bare)
    expect(key(quoted)).toBe(bare)
  })

  test.each([' abc', 'abc ', '\t abc\t ', ' "abc"', '"abc" \t'])('white space around %j belongs to the field', (value) => {
    expect(key(value)).toBe('abc')
  })

  test('white space inside of the quotes belongs to the key', () => {
    expect(key('" abc "')).toBe(' abc ')
    expect(key('"a b"')).toBe('a b')
  })

  test('escapes stand for what they escape', () => {
    expect(key(String.raw`"a\"b\\c"`)).toBe(String.raw`a"b\c`)
    expect(key(String.raw`"\\\""`)).toBe(String.raw`\"`)
    expect(key('"a,b;c"')).toBe('a,b;c')
  })

  test.each([
    ['a list of bare keys', 'a, b'],
    ['a list without a space', 'a,b'],
    ['a list of strings', '"a", "b"'],
    ['a list that is empty at its end', 'a,'],
    ['a parameter', 'a;v=1'],
    ['a parameter of a string', '"a";v=1'],
    ['a parameter with space', '"a" ;v'],
    ['two words', 'a b'],
    ['a quote that is not closed', '"abc'],
    ['a lone quote', '"'],
    ['a quote that is not opened', 'abc"'],
    ['a quote within', 'a"b'],
    ['a quote within a string', '"a"b"'],
    ['an escape of nothing', '"abc\\"'],
    ['an escape of another character', String.raw`"a\bc"`],
    ['a bare backslash', String.raw`a\b`],
    ['two strings', '"a""b"'],
    ['single quotes around a double one', `'"'`],
    ['a tab in a string', '"a\tb"'],
    ['white space of Unicode around a key', '\u00a0abc\u00a0'],
    ['an inner list', '("a")"'],
  ])('%s is refused', (_what, value) => {
    expect(key(value)).toBeUndefined()
  })

  test('of all characters to U+00FF, a bare key takes visible ASCII less , ; " and \\, and a string takes printable ASCII', () => {
    const bare: string[] = []
    const quoted: string[] = []
    for (let code = 0; code < 256; code++) {
      const char = String.fromCharCode(code)
      if (key(`x${char}x`) !== undefined) bare.push(char)
      if (key(`"x${char}x"`) !== undefined) quoted.push(char)
    }
    const printable = Array.from({ length: 95 }, (_, index) => String.fromCharCode(32 + index))
    expect(bare).toEqual(printable.filter((char) => !' ,;"\\'.includes(char)))
    expect(quoted).toEqual(printable.filter((char) => !'"\\'.includes(char)))
  })

  test.each(['ключ', '"ключ"', '키-123', 'abc\u200b', '"\ud83d\ude00"', 'ａbc'])('%s is not ASCII and refused', (value) => {
    expect(key(value)).toBeUndefined()
  })

  test.each(['', '""', ' ', '\t', ' "" '])('%j is an empty key and refused', (value) => {
    expect(key(value)).toBeUndefined()
  })

  test('255 characters are a key, 256 are not, however they are written', () => {
    expect(key('a'.repeat(255))).toBe('a'.repeat(255))
    expect(key(`"${'a'.repeat(255)}"`)).toBe('a'.repeat(255))
    expect(key(`"${'\\"'.repeat(255)}"`)).toBe('"'.repeat(255))
    expect(key('a'.repeat(256))).toBeUndefined()
    expect(key(`"${'a'.repeat(256)}"`)).toBeUndefined()
    expect(key(`"${'\\\\'.repeat(256)}"`)).toBeUndefined()
  })

  test.each([['ab', 'cd'], ['ab', 'ab'], ['', ''], ['ab', '']])('the fields %j, %j are refused, since one key is asked for', (...values) => {
    expect(readKey(values)).toBeUndefined()
  })

  test('no field is worth looking at beyond 1,024 characters, white space or not', () => {
    expect(key(`${' '.repeat(512)}ab${' '.repeat(510)}`)).toBe('ab')
    expect(key(`${' '.repeat(512)}ab${' '.repeat(511)}`)).toBeUndefined()
    expect(key(`a${' '.repeat(2 ** 24)}b`)).toBeUndefined()
  })
})
