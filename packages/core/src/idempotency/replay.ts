import { fieldValues, type Fields, type PlainResponse } from '../http.js'
import type { StoredResponse } from './store.js'

/** Belong to one message or one connection (RFC 9110 7.6.1, 6.6.1), to one caller's session, or to one exchange. */
const neverStored = new Set([
  'connection', 'keep-alive', 'proxy-connection', 'proxy-authenticate', 'proxy-authentication-info', 'te', 'trailer',
  'transfer-encoding', 'upgrade', 'content-length', 'date', 'age', 'server', 'set-cookie', 'set-cookie2',
  'traceparent', 'tracestate', 'b3', 'x-amzn-trace-id', 'x-cloud-trace-context', 'server-timing', 'x-request-id', 'idempotent-replayed', 'idempotent-body',
  'x-original-request-id',
])
/** A trace is one request's, CORS answers one origin, rate limits count one moment. */
const neverStoredPrefixes = ['x-b3-', 'access-control-', 'ratelimit', 'x-ratelimit-', 'x-rate-limit-']

/**
 * The fields of a response that a replay may carry. `also` are further names in lower case; a field whose value is the
 * request's own id is left out whatever its name.
 */
export function storableFields(fields: Fields, also: ReadonlySet<string>, requestId?: string): Fields {
  const named = new Set(fieldValues(fields, 'connection').flatMap((value) => value.toLowerCase().split(',').map((name) => name.trim())))
  return fields.filter(([name, value]) => {
    if (value === requestId) return false
    const lower = name.toLowerCase()
    return !neverStored.has(lower) && !also.has(lower) && !named.has(lower) && !neverStoredPrefixes.some((prefix) => lower.startsWith(prefix))
  })
}

/**
 * The stored response as an answer to another request: the same status, fields and bytes, `Idempotent-Replayed: true`,
 * and the id of the request that made it. Where the body was too large to keep, `Idempotent-Body: omitted` says so and
 * the fields that describe a body are left out.
 */
export function replayOf(stored: StoredResponse): PlainResponse {
  const marks: [string, string][] = [['idempotent-replayed', 'true']]
  if (stored.requestId !== undefined) marks.push(['x-original-request-id', stored.requestId])
  if (stored.body !== null) return { status: stored.status, fields: [...stored.fields, ...marks], body: stored.body }
  marks.push(['idempotent-body', 'omitted'])
  const fields = stored.fields.filter(([name]) => !/^content-(type|encoding|range|md5|digest)$/i.test(name))
  return { status: stored.status, fields: [...fields, ...marks], body: new Uint8Array() }
}
