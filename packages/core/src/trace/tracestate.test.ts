import { describe, expect, test } from 'vitest'
import { readTracestate } from './tracestate.js'

const read = (...values: string[]) => readTracestate(values)
const members = (count: number, make = (n: number) => `k${n}=${n}`) => Array.from({ length: count }, (_, n) => make(n)).join(',')
const keys = 'abcdefghijklmnopqrstuvwxyz0123456789_-*/@'
const characters = Array.from({ length: 95 }, (_, n) => String.fromCharCode(32 + n)).join('').replace(/[,=]/g, '')

describe('a tracestate that is one', () => {
  test.each([
    ['the example of the specification', ['congo=t61rcWkgMzE'], 'congo=t61rcWkgMzE'],
    ['two systems, in their order', ['rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'], 'rojo=00f067aa0ba902b7,congo=t61rcWkgMzE'],
    ['several fields, in their order', ['foo=1,bar=2', 'rojo=1,congo=2', 'baz=3'], 'foo=1,bar=2,rojo=1,congo=2,baz=3'],
    ['an empty field among others', ['foo=1', ''], 'foo=1'],
    ['an empty field before others', ['', 'foo=1'], 'foo=1'],
    ['empty members', [',foo=1, ,\t,bar=2,'], 'foo=1,bar=2'],
    ['white space around members', ['\t foo=1 \t , \t bar=2,baz=3 '], 'foo=1,bar=2,baz=3'],
    ['a space within a value, and before it', ['foo= a b'], 'foo= a b'],
    ['every character of a key', [`${keys}=1`], `${keys}=1`],
    ['every character of a value', [`foo=${characters}`], `foo=${characters}`],
    ['a key that begins with a digit', ['0foo=1'], '0foo=1'],
    ['signs that level 1 did not know', ['foo@=1,foo@@bar=2,a@b@c=3'], 'foo@=1,foo@@bar=2,a@b@c=3'],
    ['a key of 256 characters', [`foo=1,${'z'.repeat(256)}=1`], `foo=1,${'z'.repeat(256)}=1`],
    ['a value of 256 characters', [`foo=${'v'.repeat(256)}`], `foo=${'v'.repeat(256)}`],
    ['32 members', [members(32)], members(32)],
    ['32 members and empty ones', [`${members(32)},,`], members(32)],
    ['a key twice: the latest, which is the left one', ['foo=1,bar=2', 'foo=3'], 'foo=1,bar=2'],
    ['512 characters', [`a=${'v'.repeat(251)}`, `b=${'v'.repeat(256)}`], `a=${'v'.repeat(251)},b=${'v'.repeat(256)}`],
  ])('%s: %j', (_what, values, value) => {
    expect(read(...values)).toEqual({ value })
  })

  test.each([[[]], [['']], [[' \t']], [[',,']], [['', '']]])('%j says nothing', (values) => {
    expect(read(...values)).toEqual({})
  })
})

describe('what is no tracestate', () => {
  test.each([
    'foo',
    'foo=',
    'foo=,bar=3',
    '=1',
    'foo=bar=baz',
    'foo =1',
    'FOO=1',
    'foo.bar=1',
    '@foo=1,bar=2',
    '_foo=1',
    'foo=1;bar=2=3',
    'foo=bär',
    'foo=1\n',
    'foo=1\r\nx-evil: 1',
    'foo=a\tb',
    'foo=\u007f',
    'föö=1',
    `${'z'.repeat(257)}=1`,
    `foo=${'v'.repeat(257)}`,
    'foo=1,bar',
  ])('%j is dropped as a whole', (value) => {
    expect(read(value)).toEqual({ fault: 'malformed' })
  })

  test('33 members are dropped as a whole, in one field or in several, with one key or not', () => {
    expect(read(members(33))).toEqual({ fault: 'too-many-members' })
    expect(read(members(32), 'more=1')).toEqual({ fault: 'too-many-members' })
    expect(read(members(33, () => 'foo=1'))).toEqual({ fault: 'too-many-members' })
  })

  test('hostile ones are told in time that grows with their length: more would outlast this test', () => {
    for (const piece of [' ', ',', '\t', 'a', 'a=1,', '=', 'a= ']) expect(read(piece.repeat(2 ** 20))).toEqual({ fault: 'too-long' })
    for (const piece of [' ', '\t', 'a', 'a=', 'a= ']) expect(read(`a=1${piece.repeat(Math.floor(32_000 / piece.length))}\u0001`)).toMatchObject({ fault: 'malformed' })
    expect(read(','.repeat(32_768))).toEqual({})
  })
})

describe('more than 512 characters', () => {
  const short = (n: number) => `s${n}=${'v'.repeat(90)}`
  const long = (n: number) => `l${n}=${'v'.repeat(126)}`

  test('lose the entries of more than 128 characters first', () => {
    expect(read([short(1), long(1), short(2), long(2), short(3), short(4), short(5)].join(','))).toEqual({
      value: [short(1), short(2), short(3), short(4), short(5)].join(','),
      fault: 'too-long',
    })
  })

  test('lose no more of them than they have to, the last first', () => {
    expect(read([long(1), short(1), long(2), short(2), long(3)].join(','))).toEqual({
      value: [long(1), short(1), long(2), short(2)].join(','),
      fault: 'too-long',
    })
  })

  test('then lose entries from the end', () => {
    expect(read(members(8, short))).toEqual({ value: members(5, short), fault: 'too-long' })
  })

  test('of one entry alone leave nothing', () => {
    expect(read(`${'k'.repeat(256)}=${'v'.repeat(256)}`)).toEqual({ fault: 'too-long' })
  })
})
