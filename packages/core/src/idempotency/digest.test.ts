import { describe, expect, test } from 'vitest'
import { digest } from './digest.js'

const bytes = (text: string) => new TextEncoder().encode(text)

describe('digest', () => {
  // Made by Python's hashlib. Stored keys and fingerprints hang on these: another value is another key for every client.
  test.each<[readonly (string | Uint8Array)[], string]>([
    [[], 'e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'],
    [['a', 'bc'], 'f464ce88c48b640fe57d9b529d05a9c058cdd100563046ee58c9ca4bb074c942'],
    [[bytes('a'), bytes('bc')], '3fafa1cf2f19a7c1129beb20cf0983f73a489a221fc0dd2f16d1be292d089205'],
  ])('of %j is the same in each version', async (parts, expected) => {
    expect(await digest(parts)).toBe(expected)
  })

  test('no two lists of parts meet, whatever stands in them', async () => {
    const lists: (string | Uint8Array)[][] = [
      [],
      [''],
      ['', ''],
      ['', '', ''],
      ['ab', 'c'],
      ['a', 'bc'],
      ['abc'],
      ['abc', ''],
      ['', 'abc'],
      ['a', 'b', 'c'],
      ['a,b', 'c'],
      ['a', 'b,c'],
      ['a"', '"b'],
      ['a","b'],
      ['a\0b', 'c'],
      ['a', 'b\0c'],
      ['a\nb', 'c'],
      ['a', '\0\0\0\0\0\0\0\u0003bc'],
      ['\0\0\0\0\0\0\0\u0001'],
      ['\0'],
      ['é'],
      ['e\u0301'],
      ['\ud800'],
      ['\ud801'],
      ['\udfff'],
      ['\ufffd'],
      ['\\ud800'],
      [bytes('abc')],
      [bytes('a'), bytes('bc')],
      [Uint8Array.of()],
      [Uint8Array.of(0)],
    ]
    const digests = await Promise.all(lists.map((parts) => digest(parts)))
    for (const hash of digests) expect(hash).toMatch(/^[0-9a-f]{64}$/)
    expect(new Set(digests).size).toBe(lists.length)
  })

  test('a view sees its own bytes only', async () => {
    const whole = bytes('xxabcxx')
    expect(await digest([whole.subarray(2, 5)])).toBe(await digest([bytes('abc')]))
  })
})
