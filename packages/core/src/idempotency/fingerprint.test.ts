import { describe, expect, test } from 'vitest'
import { fingerprint } from './fingerprint.js'
import type { Incoming } from './incoming.js'

const bytes = (text: string) => new TextEncoder().encode(text)

interface Parts {
  readonly method?: string
  readonly target?: string
  readonly types?: readonly string[]
  readonly body?: string | Uint8Array
  readonly rest?: Partial<Incoming<undefined>>
}

function print({ method = 'POST', target = '/orders/7?x=1', types = ['application/json'], body = '{"a":1}', rest }: Parts = {}): Promise<string> {
  const incoming: Incoming<undefined> = {
    method,
    target,
    route: '/orders/:id',
    field: (name) => (name === 'content-type' ? types : ['other']),
    body: () => Promise.reject(new Error('the body is handed on')),
    requestId: 'request-1',
    native: undefined,
    ...rest,
  }
  return fingerprint(incoming, typeof body === 'string' ? bytes(body) : body)
}

describe('fingerprint', () => {
  // Made by Python's hashlib: a retry that meets the next version of this code must not be refused.
  test('is the same in each version', async () => {
    expect(await print()).toBe('1b80618a03e214649af22fc218c1c29f83095f642fcd7e33eca1ceca331bfad1')
  })

  test('each part makes another request', async () => {
    const prints = await Promise.all([
      print(),
      print({ method: 'PATCH' }),
      print({ target: '/orders/8?x=1' }),
      print({ target: '/orders/7?x=2' }),
      print({ target: '/orders/7' }),
      print({ target: '/orders/7?x=1&' }),
      print({ types: ['text/plain'] }),
      print({ types: ['application/json; charset=utf-8'] }),
      print({ types: [] }),
      print({ types: ['application/json', 'text/plain'] }),
      print({ body: '{"a":2}' }),
      print({ body: '{"a":1} ' }),
      print({ body: '' }),
      print({ body: Uint8Array.of(0xff, 0xfe) }),
      print({ body: Uint8Array.of(0xff, 0xfd) }),
      print({ types: ['application/json{'], body: '"a":1}' }),
    ])
    expect(new Set(prints).size).toBe(prints.length)
  })

  test('the same JSON in another order is another request', async () => {
    expect(await print({ body: '{"a":1,"b":2}' })).not.toBe(await print({ body: '{"b":2,"a":1}' }))
  })

  test('nothing else matters: a retry has another id and comes in another way', async () => {
    expect(await print({ rest: { requestId: 'request-2', route: '/:any', native: undefined } })).toBe(await print())
  })
})
