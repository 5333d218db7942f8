import type { Fields, StoredResponse } from '@hopwise/core'

/*
 * A finished response is one text, since not every client can read bytes: a line of JSON, then the body. A body that is
 * UTF-8, as JSON and HTML are, stands there as it is; any other one is base64, a third longer.
 */

/** How the body is written: as it is, as base64, or not at all because it was not kept. */
type BodyForm = 't' | 'b' | 'n'

type Head = readonly [mark: string, status: number, fields: Fields, requestId: string | null, form: BodyForm]

/**
 * Writes a response.
 * @param mark a text that no other response has, by which a repeated command is told from a second one
 */
export function writeResponse({ status, fields, requestId, body }: StoredResponse, mark: string): string {
  const [form, text] = writeBody(body)
  const head: Head = [mark, status, fields, requestId ?? null, form]
  // JSON escapes line feeds: the first one ends the head.
  return `${JSON.stringify(head)}\n${text}`
}

/**
 * Reads what {@link writeResponse} wrote. The body is a buffer of its own.
 * @throws SyntaxError where the text is none of it
 */
export function readResponse(written: string): StoredResponse {
  const end = written.indexOf('\n')
  const [, status, fields, requestId, form] = JSON.parse(written.slice(0, end)) as Head
  return { status, fields, body: readBody(form, written.slice(end + 1)), requestId: requestId ?? undefined }
}

function writeBody(body: Uint8Array | null): readonly [BodyForm, string] {
  if (body === null) return ['n', '']
  try {
    // Fatal, so that bytes which are not UTF-8 throw; with the byte order mark, which a decoder would drop.
    return ['t', new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(body)]
  } catch {
    return ['b', toBase64(body)]
  }
}

function readBody(form: BodyForm, text: string): Uint8Array | null {
  if (form === 'n') return null
  return form === 't' ? new TextEncoder().encode(text) : fromBase64(text)
}

/** Node's Buffer takes under 1 ms for 1 MiB, `btoa` and `atob` take 10 to 15. */
const nodeBuffer = (): typeof Buffer | undefined => (globalThis as { readonly Buffer?: typeof Buffer }).Buffer

function toBase64(bytes: Uint8Array): string {
  const known = nodeBuffer()
  if (known !== undefined) return known.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('base64')
  let text = ''
  // In parts: every byte becomes an argument.
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192))
  return btoa(text)
}

function fromBase64(text: string): Uint8Array {
  const known = nodeBuffer()
  // A small Buffer is a part of a pool; the copy is nobody else's.
  if (known !== undefined) return new Uint8Array(known.from(text, 'base64'))
  const bytes = atob(text)
  const result = new Uint8Array(bytes.length)
  for (let at = 0; at < bytes.length; at++) result[at] = bytes.charCodeAt(at)
  return result
}
