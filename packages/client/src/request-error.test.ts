import { expect, test } from 'vitest'
import { noEvidence } from './evidence.js'
import { RequestError } from './request-error.js'

/** What a failed call says, where the runtime says that. */
function messageOf(cause: Error): string {
  return new RequestError({ verdict: 'fresh-loss', evidence: noEvidence, attempts: 1, budgetSpent: false, method: 'GET', origin: 'https://a.example', cause }).message.replace('GET https://a.example: fresh-loss, maybe sent, 1 attempt: ', '')
}

test.each([
  ['other side closed', 'other side closed'],
  // Deno 2.9.
  ['error sending request for url (https://a.example/orders?token=secret): client error (Connect): refused', 'error sending request for url (https://a.example): client error (Connect): refused'],
  // Node 20.
  ['Request cannot be constructed from a URL that includes credentials: http://user:secret@a.example:81/x', 'Request cannot be constructed from a URL that includes credentials: http://a.example:81'],
  ['no way from http://[::1]:80/a(b)?c=secret to HTTPS://b.example/secret#x, or back.', 'no way from http://[::1] to https://b.example, or back.'],
  ['http://a.example:999999/secret', 'a URL'],
])('%s', (said, message) => {
  expect(messageOf(new Error(said))).toBe(message)
  expect(messageOf(new TypeError('fetch failed', { cause: new Error(said) }))).toBe(message)
})
