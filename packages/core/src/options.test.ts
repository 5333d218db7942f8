import { describe, expect, test } from 'vitest'
import { booleanField, durationField, fieldNameField, functionField, integerField, parseOptions, valueField, wordField, type Field } from './options.js'

const refused = (code: 'option-invalid' | 'option-unknown', message: string) => expect.objectContaining({ name: 'HopwiseError', code, message })

describe('parseOptions', () => {
  const fields = {
    lease: durationField({ min: '1s', max: '1h', default: '30s' }),
    size: integerField({ min: 1, max: 10 }),
    mode: wordField(['one', 'two'], 'one'),
    id: { ...valueField<string>('a string', (value) => typeof value === 'string'), required: true as const },
  }

  test('gives defaults for what is absent or undefined', () => {
    const expected = { lease: 30_000, size: undefined, mode: 'one', id: 'x' }
    expect(parseOptions('owner', { id: 'x' }, fields)).toEqual(expected)
    expect(parseOptions('owner', { id: 'x', lease: undefined, mode: undefined }, fields)).toEqual(expected)
  })

  test('gives what was said', () => {
    expect(parseOptions('owner', { id: '', lease: '2s', size: 3, mode: 'two' }, fields)).toEqual({ lease: 2_000, size: 3, mode: 'two', id: '' })
  })

  test('takes no options at all', () => {
    expect(parseOptions('owner', undefined, { flag: booleanField(true) })).toEqual({ flag: true })
  })

  test('names an unknown option and those that are allowed', () => {
    expect(() => parseOptions('owner', { id: 'x', leese: '2s' }, fields)).toThrow(
      refused('option-unknown', 'owner: unknown option "leese"; allowed: lease, size, mode, id'),
    )
  })

  test.each(['toString', 'constructor', '__proto__', 'hasOwnProperty'])('%s is no option, though every object has it', (name) => {
    const input = JSON.parse(`{"id":"x","${name}":1}`) as unknown
    expect(() => parseOptions('owner', input, fields)).toThrow(expect.objectContaining({ code: 'option-unknown' }))
  })

  test('names a wrong option, its value, and what is allowed', () => {
    expect(() => parseOptions('owner', { id: 'x', lease: '75' }, fields)).toThrow(
      refused('option-invalid', `owner: option "lease" is "75"; allowed: a duration such as '500ms', '75s', '2h', '1d', or milliseconds, from 1s to 1h`),
    )
    expect(() => parseOptions('owner', { id: 'x', size: 11 }, fields)).toThrow(
      refused('option-invalid', 'owner: option "size" is 11; allowed: a whole number from 1 to 10'),
    )
    expect(() => parseOptions('owner', { id: 'x', mode: 'three' }, fields)).toThrow(
      refused('option-invalid', 'owner: option "mode" is "three"; allowed: "one" or "two"'),
    )
    expect(() => parseOptions('owner', { id: null }, fields)).toThrow(refused('option-invalid', 'owner: option "id" is null; allowed: a string'))
  })

  test('names a missing option that is required', () => {
    expect(() => parseOptions('owner', {}, fields)).toThrow(refused('option-invalid', 'owner: option "id" is required: a string'))
  })

  test('cuts a long value, and shows nothing of objects', () => {
    expect(() => parseOptions('owner', { id: 'x', mode: 's'.repeat(5_000) }, fields)).toThrow(
      refused('option-invalid', `owner: option "mode" is "${'s'.repeat(76)}...; allowed: "one" or "two"`),
    )
    expect(() => parseOptions('owner', { id: 'x', mode: { password: 'hunter2' } }, fields)).toThrow(
      refused('option-invalid', 'owner: option "mode" is an object; allowed: "one" or "two"'),
    )
  })

  test.each([
    [null, 'null'],
    ['75s', '"75s"'],
    [7, '7'],
    [[], 'an array'],
    [() => ({}), 'a function'],
  ])('%o is no options object', (input, shown) => {
    expect(() => parseOptions('owner', input, fields)).toThrow(refused('option-invalid', `owner: expected an options object, got ${shown}`))
  })
})

describe('fields', () => {
  test('durationField takes both ends of its range and nothing beyond', () => {
    const field = durationField({ min: '1s', max: '2s' })
    expect(['1s', '2s', 1_500, '999ms', 2_001, '2', NaN].map(field.parse)).toEqual([1_000, 2_000, 1_500, undefined, undefined, undefined, undefined])
    expect(durationField({ max: '2s' }).parse(0)).toBe(0)
  })

  test('integerField takes whole numbers of its range only', () => {
    const field = integerField({ min: 0, max: 3 })
    expect([0, 3, 1.5, -1, 4, NaN, Infinity, '2', 2n, true, null].map(field.parse)).toEqual([0, 3, ...Array.from({ length: 9 })])
    expect(integerField({ min: 0, max: 3, default: 0 })).toMatchObject({ default: 0 })
  })

  test('booleanField takes nothing that is merely truthy', () => {
    const field = booleanField(false)
    expect([true, false, 1, 0, 'true', '', null].map(field.parse)).toEqual([true, false, ...Array.from({ length: 5 })])
  })

  test('wordField takes its words only', () => {
    const field: Field<string> = wordField(['a', 'b'])
    expect(['a', 'b', 'c', 'A', '', 0, ['a']].map(field.parse)).toEqual(['a', 'b', ...Array.from({ length: 5 })])
  })

  test('functionField takes functions as they are', () => {
    const callback = () => 1
    const field = functionField<() => number>('a function')
    expect(field.parse(callback)).toBe(callback)
    expect(field.parse({ call: callback })).toBeUndefined()
  })

  test('fieldNameField takes tokens and gives lower case', () => {
    const field = fieldNameField('x-id')
    expect(field.parse('X-Request-ID')).toBe('x-request-id')
    expect(['', 'x id', 'x:id', 'x\r\nid', 'x-id\n', 'ä', 7, null].map(field.parse)).toEqual(Array.from({ length: 8 }))
  })
})
