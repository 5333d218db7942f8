import type { Fields, PlainResponse } from '../http.js'

/** Statuses whose response has no body (Fetch standard, "null body status"): a `Response` with one is an error. */
const withoutBody = [204, 205, 304]

/** Makes a `Response` of a plain one. Fields of `earlier` stay, unless the response has them itself; of a HEAD request it has no body. */
export function toResponse({ status, fields, body }: PlainResponse, request: Request, earlier?: Headers): Response {
  const headers = new Headers(earlier)
  for (const [name] of fields) headers.delete(name)
  for (const [name, value] of fields) headers.append(name, value)
  const empty = body.length === 0 || request.method === 'HEAD' || withoutBody.includes(status)
  return new Response(empty ? null : (body as Uint8Array<ArrayBuffer>), { status, headers })
}

/** The fields of a response, each `set-cookie` apart. */
export function fieldsOf(headers: Headers): Fields {
  // The types of workers have no iterator for it.
  return [...(headers as unknown as Iterable<[string, string]>)]
}
