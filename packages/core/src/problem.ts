import { errorTable, type RefusalCode } from './errors.js'
import type { Fields, PlainResponse } from './http.js'

/**
 * A refusal as a problem document (RFC 9457). `type` is the stable URN `urn:hopwise:problem:<code>`; `detail` is
 * written by Hopwise and never repeats what the client sent.
 */
export function problem(code: RefusalCode, detail: string, extra: Fields = []): PlainResponse {
  const { title, status } = errorTable[code]
  const body = new TextEncoder().encode(JSON.stringify({ type: `urn:hopwise:problem:${code}`, title, status, detail }))
  return {
    status,
    fields: [['content-type', 'application/problem+json'], ['cache-control', 'no-store'], ...extra],
    body,
  }
}
