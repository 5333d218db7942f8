import { describe, expect, test } from 'vitest'
import { readBaggage, type BaggageFault } from './baggage.js'

const members = (count: number) => Array.from({ length: count }, (_, n) => `k${n}=${n}`).join(',')

describe('a baggage', () => {
  test.each([
    ['the example of the specification', ['key1=value1;property1;property2, key2 = value2, key3=value3; propertyKey=propertyValue']],
    ['values in percent-encoding', ['userId=alice,serverNode=DF%2028,isProduction=false']],
    ['equal signs in a value', ['a=b=c==']],
    ['a key twice', ['a=1,a=2']],
    ['64 members', [members(64)]],
    ['64 members and an empty one', [`${members(64)}, ,`]],
    ['8192 bytes', [`a=${'v'.repeat(8_190)}`]],
  ])('%s is passed on as it is', (_what, values) => {
    expect(readBaggage(values)).toEqual({ value: values[0] })
  })

  test('in several fields is passed on in one, in order', () => {
    expect(readBaggage(['userId=alice', '', 'serverNode=DF%2028,isProduction=false'])).toEqual({ value: 'userId=alice,serverNode=DF%2028,isProduction=false' })
  })

  test.each([[[]], [['']], [[' ', '\t']]])('%j says nothing', (values) => {
    expect(readBaggage(values)).toEqual({})
  })

  test.each<[BaggageFault, string, string[]]>([
    ['too-many-members', '65 members', [members(65)]],
    ['too-many-members', '65 members in two fields', [members(64), 'more=1']],
    ['too-long', '8193 bytes', [`a=${'v'.repeat(8_191)}`]],
    ['too-long', '8193 bytes in two fields', [`a=${'v'.repeat(4_094)}`, `b=${'v'.repeat(4_094)}`]],
    ['too-long', 'a megabyte of commas', [`a${','.repeat(2 ** 20)}`]],
    ['bad-character', 'a line feed', ['a=1\n']],
    ['bad-character', 'a field within', ['a=1\r\nx-evil: 1']],
    ['bad-character', 'a NUL', ['a=\0']],
    ['bad-character', 'a character beyond ASCII', ['userId=Amélie']],
  ])('is dropped as %s: %s', (fault, _what, values) => {
    expect(readBaggage(values)).toEqual({ fault })
  })
})
