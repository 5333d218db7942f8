import { freezeBody, withType, type FrozenBody } from './body.js'
import type { Source } from './follower.js'
import { normalMethod } from './methods.js'
import { readAhead } from './read-ahead.js'

/** What may be said of a call besides what fetch takes. */
export interface ClientInit extends RequestInit {
  /**
   * Makes the body anew for each attempt, in the place of `body`: a stream can be sent again then. It has to give the same bytes each
   * time, and may give a promise. No form: its boundary would be another one.
   */
  readonly getBody?: () => unknown
}

/** A call as it was ordered: read once, so that each attempt is the same. */
export interface Order {
  readonly url: URL
  readonly method: string
  readonly headers: Headers
  readonly body: FrozenBody
  readonly redirect: 'follow' | 'error' | 'manual'
  readonly signal: AbortSignal | undefined
  /** What else the caller has said, for the runtime. */
  readonly rest: Readonly<Record<string, unknown>>
}

/** What a Request says by itself; passing it on would be refused by runtimes that do not have it. */
const presets: Readonly<Record<string, unknown>> = { mode: 'cors', credentials: 'same-origin', cache: 'default', integrity: '', keepalive: false, referrer: 'about:client', referrerPolicy: '' }

/**
 * Where a call goes. In browsers, a relative URL is one of the page.
 * @throws TypeError where it is no URL
 */
export function urlOf(input: string | URL | Request): URL {
  return new URL(input instanceof Request ? input.url : String(input), globalThis.location?.href)
}

/**
 * Reads what was given to the client.
 * @param signals with the first of which the caller gives up
 * @throws TypeError where the URL is none, both `body` and `getBody` are there, or a Request's body was read already
 */
export async function readOrder(input: string | URL | Request, init: ClientInit = {}, signals: readonly Source[] = []): Promise<Order> {
  const { getBody, method, headers, body, redirect, signal, ...rest } = init
  if (getBody !== undefined && typeof getBody !== 'function') throw new TypeError('getBody: expected a function that makes the body')
  if (getBody !== undefined && body !== undefined && body !== null) throw new TypeError('expected body or getBody, got both')
  const request = input instanceof Request ? input : undefined
  const url = urlOf(input)
  const own = body ?? undefined
  const ofRequest = own === undefined && getBody === undefined ? request : undefined
  // Its rest is not what the caller means.
  if (ofRequest?.bodyUsed) throw new TypeError('the body of this Request was read already')
  const frozen = ofRequest?.body ? await readAhead(ofRequest.body, signals) : await freezeBody(own, getBody)
  return {
    url,
    method: normalMethod(method ?? request?.method ?? 'GET'),
    headers: withType(new Headers(headers ?? request?.headers), frozen),
    body: frozen,
    redirect: redirect ?? request?.redirect ?? 'follow',
    // An explicit null takes the Request's own signal away, as in fetch.
    signal: (signal === undefined ? request?.signal : signal) ?? undefined,
    rest: { ...saidBy(request), ...rest },
  }
}

function saidBy(request: Request | undefined): Record<string, unknown> {
  if (request === undefined) return {}
  const values = request as unknown as Record<string, unknown>
  return Object.fromEntries(Object.entries(presets).flatMap(([name, preset]) => (values[name] === undefined || values[name] === preset ? [] : [[name, values[name]]])))
}
