import { wholeSeconds, type Duration } from '../duration.js'
import type { PlainResponse } from '../http.js'
import { problem } from '../problem.js'

const retryAfter = (delay: Duration): readonly [string, string] => ['retry-after', String(Math.max(1, wholeSeconds(delay)))]

/** The answers by which a request is turned away; all of them are problem documents. */
export const refusals = {
  keyMissing: (header: string): PlainResponse => problem('key-missing', `This request needs a unique ${header} field, so that it can be sent again safely.`),
  keyInvalid: (detail: string): PlainResponse => problem('key-invalid', detail),
  principalMissing: (): PlainResponse => problem('principal-missing', 'A keyed request is only served for a known caller; authenticate first.'),
  bodyTooLarge: (limit: number): PlainResponse => problem('body-too-large', `A keyed request may have a body of at most ${limit} bytes.`),
  keyReused: (): PlainResponse => problem('key-reused', 'The key was used for another method, target, content type or body; a new request needs a new key.'),
  inProgress: (leaseLeft: Duration): PlainResponse =>
    problem('key-in-progress', 'The first request with this key has no result yet; send the same request again later.', [retryAfter(leaseLeft)]),
  outcomeUnknown: (): PlainResponse =>
    problem('outcome-unknown', 'The server that ran the first request with this key stopped before it was done. What the request did has to be looked up; the key will not run again.'),
  endlessStream: (): PlainResponse =>
    problem('endless-stream', 'A text/event-stream has no end that could be stored and replayed: it has to be answered from a route without idempotency.'),
  storeUnavailable: (): PlainResponse =>
    problem('store-unavailable', 'The request was not begun; send the same request again later.', [['retry-after', '1']]),
} as const
