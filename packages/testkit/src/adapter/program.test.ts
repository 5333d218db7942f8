import { expect, test } from 'vitest'
import { decode, encode } from './lent-wire.js'
import { contractSetup } from './program.js'

test('a program that nobody gave a setup is told how to get one', () => {
  expect(() => contractSetup(undefined)).toThrow('there is no setup: bootProgram() gives it in the environment variable HOPWISE_CONTRACT')
})

test('a setup keeps its options, and has routes and a store of its own', () => {
  const text = JSON.stringify({ idempotency: { storeDeadline: 50 }, requestId: { trust: true }, parserFirst: true, storeUrl: 'http://127.0.0.1:1/x' })
  const { routes, idempotency: { store, ...options }, ...rest } = contractSetup(text)
  expect([options, rest]).toEqual([{ storeDeadline: 50 }, { requestId: { trust: true }, parserFirst: true }])
  expect(routes.length).toBeGreaterThan(10)
  expect(Object.keys(store)).toEqual(['claim', 'complete', 'renew', 'savePhase', 'release', 'sweep'])
})

test.each([Uint8Array.of(0, 10, 255, 13), Buffer.from('a\nb'), new Uint8Array(), null])('a response goes over as it is: body %j', (body) => {
  const response = { status: 201, fields: [['x-name', 'Café ☕']], body, requestId: 'request-1' }
  const claim = { kind: 'claimed', phases: { body: '"x"', follows: 'true' } }
  expect(decode(encode([claim, response, undefined]))).toEqual([claim, { ...response, body: body === null ? null : new Uint8Array(body) }, null])
})
