import { expect, test } from 'vitest'
import { createClient } from './client.js'
import { hopwise } from './undici/interceptor.js'

test.each([
  [{ retries: 3 }, /createClient: unknown option "retries"; allowed: chain, margin, retry, budget, trustedOrigins, /],
  [{ retry: true }, /createClient: option "retry" is true; allowed: false, or an object \{ attempts, /],
  [{ retry: { attempts: 11 } }, /createClient.retry: option "attempts" is 11; allowed: a whole number from 1 to 10/],
  [{ retry: { attempt: 1 } }, /createClient.retry: unknown option "attempt"/],
  [{ retry: { baseDelay: '6s' } }, /createClient.retry: option "baseDelay" is longer than maxDelay/],
  [{ retry: { statuses: [200] } }, /createClient.retry: option "statuses" is an array; allowed: a list of statuses from 400 to 599/],
  [{ budget: { tokens: 0 } }, /createClient.budget: option "tokens" is 0/],
  [{ budget: { perSuccess: 2 } }, /createClient.budget: option "perSuccess" is 2/],
  [{ trustedOrigins: ['https://b.example', 'https://a.example/api'] }, /createClient: option "trustedOrigins" has "https:\/\/a.example\/api"; allowed: origins without a path or a wildcard, such as/],
  [{ trustedOrigins: ['a.example'] }, /createClient: option "trustedOrigins" has "a.example"/],
  [{ trustedOrigins: ['https://*.example.com'] }, /createClient: option "trustedOrigins" has "https:\/\/\*.example.com"; allowed: origins without a path or a wildcard/],
  [{ trustedOrigins: [7] }, /createClient: option "trustedOrigins" has 7; allowed/],
  [{ idempotencyKeyHeader: 'X-Request-Id' }, /createClient: option "requestIdHeader" is the field of the key; allowed: another one/],
  [{ requestIdHeader: 'Idempotency-Key' }, /createClient: option "requestIdHeader" is the field of the key/],
  [{ requestIdHeader: 'Authorization' }, /createClient: option "requestIdHeader" is "Authorization"; allowed: a field name that is not about the body, the connection, the caller or the trace/],
  [{ idempotencyKeyHeader: 'content-length' }, /createClient: option "idempotencyKeyHeader" is "content-length"/],
  [{ idempotencyKeyHeader: 'my key' }, /createClient: option "idempotencyKeyHeader" is "my key"/],
  [{ trustedOrigins: '*' }, /createClient: option "trustedOrigins"/],
  [{ idempotencyKey: 'always' }, /createClient: option "idempotencyKey" is "always"/],
  [{ deadline: '25d' }, /createClient: option "deadline"/],
  [{ firstByteTimeout: 0 }, /createClient: option "firstByteTimeout" is 0/],
  [{ chain: ['apache'] }, /chain\[0\]: unknown preset "apache"/],
  [{ fetch: {} }, /createClient: option "fetch" is an object; allowed: a fetch/],
  [{ clock: { now: () => 0 } }, /createClient: option "clock"/],
])('%j is refused', (options, message) => {
  expect(() => createClient(options as never)).toThrow(message)
})

test('the interceptor has no fetch to wrap', () => {
  expect(() => hopwise({ fetch } as never)).toThrow(/hopwise: unknown option "fetch"/)
})

test.each([
  [{ requestIdHeader: 'idempotency-key' }, /hopwise: option "requestIdHeader" is the field of the key/],
  [{ trustedOrigins: ['https://*.example.com'] }, /hopwise: option "trustedOrigins" has "https:/],
])('%j is refused by the interceptor too', (options, message) => {
  expect(() => hopwise(options)).toThrow(message)
})

test('an origin that is of no use in a message is shown by its kind', () => {
  for (const [wrong, shown] of [[10n, '10'], [{}, 'an object'], [undefined, 'undefined']]) {
    expect(() => createClient({ trustedOrigins: [wrong] as never })).toThrow(`createClient: option "trustedOrigins" has ${String(shown)}; allowed`)
  }
})

test('every option may be left out, and false turns policy and budget off', () => {
  expect(createClient()).toBeTypeOf('function')
  expect(createClient({ retry: false, budget: false, chain: [], trustedOrigins: ['https://a.example', 'http://127.0.0.1:3000/'] })).toBeTypeOf('function')
})
