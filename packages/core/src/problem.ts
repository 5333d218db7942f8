import { errorTable, type RefusalCode } from './errors.js'
import type { Fields, PlainResponse } from './http.js'
import { utf8 } from './utf8.js'

/**
 * A refusal as a problem document (RFC 9457). `type` is the stable URN `urn:hopwise:problem:<code>`; `detail` is
 * written by Hopwise and never repeats what the client sent.
 */
export function problem(code: RefusalCode, detail: string, extra?: Fields): PlainResponse {
  return problemDocument(code, errorTable[code], detail, extra)
}

/** What {@link problem} makes, of a row of the error table that is at hand. */
export function problemDocument(
  code: RefusalCode,
  { title, status }: { readonly title: string; readonly status: number },
  detail: string | undefined,
  extra: Fields = [],
): PlainResponse {
  return {
    status,
    fields: [['content-type', 'application/problem+json'], ['cache-control', 'no-store'], ...extra],
    body: utf8(JSON.stringify({ type: `urn:hopwise:problem:${code}`, title, status, detail })),
  }
}
