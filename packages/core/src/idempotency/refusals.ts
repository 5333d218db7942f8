import { wholeSeconds, type Duration } from '../duration.js'
import { keyRefusals } from '../errors.js'
import type { PlainResponse } from '../http.js'
import { problemDocument } from '../problem.js'

/** What each answer says in full; `%` stands for what it is about. */
const details: Readonly<Record<keyof typeof keyRefusals, string>> = {
  'key-missing': 'This request needs a unique % field, so that it can be sent again safely.',
  'key-invalid': '%',
  'principal-missing': 'A keyed request is only served for a known caller; authenticate first.',
  'body-too-large': 'A keyed request may have a body of at most % bytes.',
  'key-reused': 'The key was used for another method, target, content type or body; a new request needs a new key.',
  'key-in-progress': 'The first request with this key has no result yet; send the same request again later.',
  'outcome-unknown': 'The server that ran the first request with this key stopped before it was done. What the request did has to be looked up; the key will not run again.',
  'endless-stream': 'A text/event-stream has no end that could be stored and replayed: it has to be answered from a route without idempotency.',
  'store-unavailable': 'The request was not begun; send the same request again later.',
}

/**
 * The answer by which a request is turned away: a problem document.
 * @param about what takes the place of `%` in the detail
 * @param retryAfter for `Retry-After`, in seconds of at least 1
 */
export function refusal(code: keyof typeof keyRefusals, about: string | number = '', retryAfter?: Duration): PlainResponse {
  const detail = details[code].replace('%', () => String(about))
  return problemDocument(code, keyRefusals[code], detail, retryAfter === undefined ? [] : [['retry-after', String(Math.max(1, wholeSeconds(retryAfter)))]])
}

/** The answer where the store failed. */
export function storeUnavailable(): PlainResponse {
  return refusal('store-unavailable', '', 1_000 as Duration)
}
