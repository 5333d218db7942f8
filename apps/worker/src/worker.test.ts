import { exports } from 'cloudflare:workers'
import { expect, test } from 'vitest'

/** The default export of the worker, called as a request from outside calls it. */
const worker = (exports as unknown as { readonly default: Fetcher }).default

interface Order {
  readonly key?: string
  readonly item?: string
  readonly token?: string
}

function order({ key, item = 'tea', token = 'token-of-alice' }: Order): Promise<Response> {
  return worker.fetch('https://orders.test/orders', {
    method: 'POST',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, ...(key !== undefined && { 'idempotency-key': `"${key}"` }) },
    body: JSON.stringify({ item }),
  })
}

async function ordersOf(token: string): Promise<unknown> {
  const response = await worker.fetch('https://orders.test/orders', { headers: { authorization: `Bearer ${token}` } })
  return ((await response.json()) as { count: number }).count
}

test('a retry gets the first answer, byte for byte, with a request id of its own, and there is one order', async () => {
  const before = (await ordersOf('token-of-alice')) as number
  const [first, retry] = [await order({ key: 'twice' }), await order({ key: 'twice' })]
  expect([first.status, retry.status]).toEqual([201, 201])
  expect([first.headers.get('idempotent-replayed'), retry.headers.get('idempotent-replayed')]).toEqual([null, 'true'])
  expect(await retry.text()).toBe(await first.text())
  const ids = [first, retry].map(({ headers }) => headers.get('x-request-id'))
  expect(ids[0]).toMatch(/^[0-9a-f-]{36}$/)
  expect(ids[1]).not.toBe(ids[0])
  expect(await ordersOf('token-of-alice')).toBe(before + 1)
})

test('of ten requests with one key at once, one makes the order and all get its answer', async () => {
  const before = (await ordersOf('token-of-alice')) as number
  const responses = await Promise.all(Array.from({ length: 10 }, () => order({ key: 'at-once' })))
  expect(responses.map(({ status }) => status)).toEqual(responses.map(() => 201))
  expect(new Set(await Promise.all(responses.map((response) => response.text()))).size).toBe(1)
  expect(responses.filter(({ headers }) => headers.get('idempotent-replayed') === null).length).toBe(1)
  expect(await ordersOf('token-of-alice')).toBe(before + 1)
})

test('another account with the same key makes an order of its own', async () => {
  const [alice, bob] = [await order({ key: 'shared' }), await order({ key: 'shared', token: 'token-of-bob' })]
  expect(bob.headers.get('idempotent-replayed')).toBe(null)
  expect(await bob.text()).not.toBe(await alice.text())
})

test.each<[string, Order, number, string]>([
  ['another body with a known key', { key: 'reused', item: 'coffee' }, 422, 'key-reused'],
  ['no key', {}, 400, 'key-missing'],
  ['a key that is none', { key: 'k'.repeat(256) }, 400, 'key-invalid'],
])('%s is refused', async (_what, sent, status, code) => {
  await order({ key: 'reused' })
  const response = await order(sent)
  expect([response.status, response.headers.get('content-type')]).toEqual([status, 'application/problem+json'])
  expect(await response.text()).toContain(code)
})

test('nobody orders without a token', async () => {
  expect((await order({ key: 'nobody', token: 'toString' })).status).toBe(401)
})
