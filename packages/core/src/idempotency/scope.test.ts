import { describe, expect, test } from 'vitest'
import { scopedKey } from './scope.js'

describe('scopedKey', () => {
  // Made by Python's hashlib: a record that one version stored must be found by the next.
  test('is the same in each version', async () => {
    expect(await scopedKey('alice', 'POST', '/orders/:id', 'key-1')).toBe('435e13cbefef4d757ff34c9ad44e37a1a8e734b097814a629845cd86053d32f2')
    expect(await scopedKey(undefined, 'POST', '/orders/:id', 'key-1')).toBe('73d74cba22ed26546c0566f2d2a082b90a977282e901a43a3f9fdb0d665d0137')
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
    const keys = await Promise.all(scopes.map((scope) => scopedKey(...scope)))
    expect(new Set(keys).size).toBe(scopes.length)
  })

  test('holds nothing of the caller', async () => {
    expect(await scopedKey('alice@example.com', 'POST', '/orders', 'k')).toMatch(/^[0-9a-f]{64}$/)
  })
})
