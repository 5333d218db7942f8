import { describe, expect, test } from 'vitest'
import { scopedKey } from './scope.js'

/** As the engine asks: without a principal where the scope is global, and only then. */
const keyOf = (principal: string | undefined, method: string, route: string, key: string) => scopedKey(principal === undefined ? 'global' : 'principal', principal, method, route, key)

describe('scopedKey', () => {
  // Made by Python's hashlib: a record that one version stored must be found by the next.
  test('is the same in each version', async () => {
    expect(await keyOf('alice', 'POST', '/orders/:id', 'key-1')).toBe('be601a639131ad502ef61920fe3ac62eec1dd0a59403f300b70b5128286accf4')
    expect(await keyOf(undefined, 'POST', '/orders/:id', 'key-1')).toBe('10a7a60e7dfa217068168b4a7c2c944e4f7118f2abcf11db42d66832df0f7697')
  })

  test('no crafted principal, method, route or key falls on another caller\'s record', async () => {
    const scopes: [string | undefined, string, string, string][] = [
      ['alice', 'POST', '/orders', 'k'],
      ['bob', 'POST', '/orders', 'k'],
      ['alice', 'PATCH', '/orders', 'k'],
      ['alice', 'POST', '/payments', 'k'],
      ['alice', 'POST', '/orders', 'k2'],
      [undefined, 'POST', '/orders', 'k'],
      ['', 'POST', '/orders', 'k'],
      ['global', 'POST', '/orders', 'k'],
      ['alicePOST', '', '/orders', 'k'],
      ['alice:POST', '/orders', '', 'k'],
      ['alice","POST', '/orders', '', 'k'],
      ['alice', 'POST/orders', '', 'k'],
      ['alice', 'POST', '/ordersk', ''],
      ['alice', 'POST', '', '/ordersk'],
      ['alice\0', 'POST', '/orders', 'k'],
      ['ALICE', 'POST', '/orders', 'k'],
      ['alice\ud800', 'POST', '/orders', 'k'],
      ['alice\ud801', 'POST', '/orders', 'k'],
    ]
    const keys = await Promise.all(scopes.map((scope) => keyOf(...scope)))
    expect(new Set(keys).size).toBe(scopes.length)
  })

  test('holds nothing of the caller', async () => {
    expect(await keyOf('alice@example.com', 'POST', '/orders', 'k')).toMatch(/^[0-9a-f]{64}$/)
  })
})
