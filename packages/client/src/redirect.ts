/** How many redirects are followed, as in fetch (Fetch 4.4). */
export const mostRedirects = 20

/** The request that a redirect asks for. */
export interface Redirected {
  readonly url: URL
  readonly method: string
  /** Whether the method became GET, and the body is gone with it. */
  readonly withoutBody: boolean
  /** Whether the new origin is another one. */
  readonly crossOrigin: boolean
}

/** What a request may take along to another origin: what it accepts and what its body is, never who asks. */
const crossing = new Set(['accept', 'accept-encoding', 'accept-language', 'content-encoding', 'content-language', 'content-location', 'content-type', 'range', 'user-agent'])
/** What describes a body that is no longer sent (Fetch 4.4, "request-body-header name"). */
const ofBody = ['content-encoding', 'content-language', 'content-location', 'content-type', 'content-length']

/**
 * What a redirect asks for, or `undefined` where the response is none: 301 and 302 turn POST into GET, 303 everything but HEAD; 307
 * and 308 keep method and body (RFC 9110 15.4).
 * @throws TypeError where it leads to what is not http(s)
 */
export function redirectOf(status: number, location: string | null, from: URL, method: string): Redirected | undefined {
  if (![301, 302, 303, 307, 308].includes(status) || location === null) return undefined
  const url = new URL(utf8Of(location), from)
  if (url.protocol !== 'https:' && url.protocol !== 'http:') throw new TypeError(`a redirect leads to ${url.protocol}`)
  if (url.hash === '') url.hash = from.hash
  const toGet = ((status === 301 || status === 302) && method === 'POST') || (status === 303 && method !== 'GET' && method !== 'HEAD')
  return { url, method: toGet ? 'GET' : method, withoutBody: toGet, crossOrigin: url.origin !== from.origin }
}

/** A field is bytes, shown as Latin-1; a Location is meant as UTF-8 (Fetch 2.2.6, "location URL"), where it is any. */
function utf8Of(text: string): string {
  if (/^[\0-\x7F]*$|[^\0-\xFF]/.test(text)) return text
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(Uint8Array.from(text, (char) => char.charCodeAt(0)))
  } catch {
    return text
  }
}

/**
 * The fields of the redirected request. To another origin go only those that say nothing of the caller, and the request id:
 * no key, no Authorization, no Cookie, and no field that this file does not know, since that may be a secret.
 * @param always fields that cross, in lower case
 */
export function redirectedFields(fields: Headers, { crossOrigin, withoutBody }: Redirected, keyField: string, always: readonly string[]): Headers {
  const kept = new Headers(fields)
  for (const name of fields.keys()) {
    if (crossOrigin && !crossing.has(name) && !always.includes(name)) kept.delete(name)
    // The key belongs to what the POST did, and a GET is another request.
    if (withoutBody && (ofBody.includes(name) || name === keyField)) kept.delete(name)
  }
  return kept
}
