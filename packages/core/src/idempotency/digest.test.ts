import { describe, expect, test } from 'vitest'
import { digest } from './digest.js'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('digest', () => {
  // Made by Python's hashlib. Stored keys and fingerprints hang on these: another value is another key for every client.
  test.each<[readonly string[], string, string]>([
    [[], '', '4f53cda18c2baa0c0354bb5f9a3ecbe5ed12ab4d8e11ba873c2f11161202b945'],
    [['a', 'bc'], '', '42a6f3f44be0aaf23c936b1547dd5e41d2d25ff25f36a31474eb1851639f6751'],
    [['a'], 'bc', 'e498d1fe82686b254239ca079914571732fe327aa376aaad9f7e20502475d6e2'],
  ])('of %j and %j is the same in each version', async (texts, body, expected) => {
    expect(await digest(texts, bytes(body))).toBe(expected)
  })

  test('no two inputs meet, whatever stands in them', async () => {
    const inputs: [string[], (string | Uint8Array)?][] = [
      [[]],
      [['']],
      [['', '']],
      [['', '', '']],
      [['ab', 'c']],
      [['a', 'bc']],
      [['abc']],
      [['abc', '']],
      [['', 'abc']],
      [['a', 'b', 'c']],
      [['a,b', 'c']],
      [['a', 'b,c']],
      [['a"', '"b']],
      [['a","b']],
      [['a\0b', 'c']],
      [['a', 'b\0c']],
      [['a\nb', 'c']],
      [['a"]', 'b']],
      [['a"]b']],
      [['é']],
      [['e\u0301']],
      [['\ud800']],
      [['\ud801']],
      [['\udfff']],
      [['\ufffd']],
      [['\\ud800']],
      [[], 'abc'],
      [[], '[]'],
      [[], '["a"]'],
      [['a'], '["a"]'],
      [['a'], ',"bc"]'],
      [['a'], '"bc"'],
      [['a'], ']'],
      [['a'], 'bc'],
      [['a', 'b'], 'c'],
      [[], Uint8Array.of(0)],
      [[], Uint8Array.of(0, 0)],
      [[], Uint8Array.of(0xff)],
      [[], Uint8Array.of(0xfe)],
    ]
    const digests = await Promise.all(inputs.map(([texts, body = '']) => digest(texts, typeof body === 'string' ? bytes(body) : body)))
    for (const hash of digests) expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set(digests).size).toBe(inputs.length)
  })

  test('no bytes are as good as empty ones', async () => {
    expect(await digest(['a'])).toBe(await digest(['a'], new Uint8Array()))
  })

  test('a view sees its own bytes only', async () => {
    const whole = bytes('xxabcxx')
    expect(await digest([], whole.subarray(2, 5))).toBe(await digest([], bytes('abc')))
  })
})
