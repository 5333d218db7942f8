import { fieldValues, type Fields, type PlainResponse } from '../http.js'
import type { StoredResponse } from './store.js'

/**
 * What belongs to one message or one connection (RFC 9110 7.6.1, 6.6.1), to one caller's session, or to one exchange. A
 * trace is one request's, CORS answers one origin, rate limits count one moment.
 */
const neverStored =
  /^(connection|keep-alive|proxy-.*|te|trailer|transfer-encoding|upgrade|content-length|date|age|server(-timing)?|set-cookie2?|trace(parent|state)|b3|x-(b3|.*-trace)-.*|x-(original-)?request-id|idempotent-.*|access-control-.*|(x-)?rate-?limit.*)$/

/**
 * The fields of a response that a replay may carry. `also` are further names in lower case; a field whose value is the
 * request's own id is left out whatever its name.
 */
export function storableFields(fields: Fields, also: ReadonlySet<string>, requestId?: string): Fields {
  const named = fieldValues(fields, 'connection').join().toLowerCase().split(/[\s,]+/)
  return fields.filter(([name, value]) => {
    if (value === requestId) return false
    const lower = name.toLowerCase()
    return !neverStored.test(lower) && !also.has(lower) && !named.includes(lower)
  })
}

/**
 * The stored response as an answer to another request: the same status, fields and bytes, `Idempotent-Replayed: true`,
 * and the id of the request that made it. Where the body was too large to keep, `Idempotent-Body: omitted` says so and
 * the fields that describe a body are left out.
 */
export function replayOf({ status, fields, body, requestId }: StoredResponse): PlainResponse {
  const carried = fields.filter(([name]) => body !== null || !/^content-(type|encoding|range|md5|digest)$/i.test(name))
  carried.push(['idempotent-replayed', 'true'])
  if (requestId !== undefined) carried.push(['x-original-request-id', requestId])
  if (body === null) carried.push(['idempotent-body', 'omitted'])
  return { status, fields: carried, body: body ?? new Uint8Array() }
}
