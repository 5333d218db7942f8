import { OnceBody } from './once-body.js'

/** A request's body, made so that each attempt sends the same bytes. */
export type FrozenBody =
  | { readonly kind: 'none' }
  /** Bytes that are at hand. `type` is what the runtime would say of them. */
  | { readonly kind: 'bytes'; readonly value: string | Uint8Array<ArrayBuffer> | Blob; readonly type?: string }
  /** A stream: it can be sent once. */
  | OnceBody
  /** Streams made for each attempt by the caller's function. */
  | { readonly kind: 'made'; readonly make: () => unknown }

/**
 * Reads a body once. Bytes are copied, since the caller may go on writing into them; a form is encoded here, so that its
 * boundary is the same on every attempt; a stream can only be sent once. Of other realms, and of other copies of undici, as well.
 * @param make makes the body anew for each attempt
 * @throws TypeError for an object that is none of those, and has no text of its own: nobody means "[object Object]"
 */
export async function freezeBody(body: unknown, make?: () => unknown): Promise<FrozenBody> {
  if (make !== undefined) return { kind: 'made', make }
  if (body === undefined || body === null) return { kind: 'none' }
  const brand = brandOf(body)
  if (brand === 'URLSearchParams') return { kind: 'bytes', value: String(body), type: 'application/x-www-form-urlencoded;charset=UTF-8' }
  if (brand === 'ArrayBuffer') return { kind: 'bytes', value: new Uint8Array((body as ArrayBuffer).slice(0)) }
  if (ArrayBuffer.isView(body)) return { kind: 'bytes', value: new Uint8Array(new Uint8Array(body.buffer, body.byteOffset, body.byteLength)) }
  if (brand === 'Blob' || brand === 'File') return freezeBlob(body as Blob)
  if (brand === 'FormData') {
    const encoded = new Response(body instanceof FormData ? body : await formOf(body as FormData))
    // Not its Blob: the type of that is in lower case, and a boundary is not.
    return { kind: 'bytes', value: new Uint8Array(await encoded.arrayBuffer()), type: encoded.headers.get('content-type') ?? 'multipart/form-data' }
  }
  if (isStream(body)) return new OnceBody(body)
  const text = String(body)
  if (typeof body === 'object' && text.startsWith('[object ')) throw new TypeError(`body: expected a text, bytes, a Blob, a form or a stream, got ${text}`)
  return { kind: 'bytes', value: text, type: 'text/plain;charset=UTF-8' }
}

/**
 * What the caller's function has made for one attempt.
 * @throws TypeError for a form, which would have another boundary on each attempt
 */
export function noForm(made: unknown): unknown {
  if (brandOf(made) === 'FormData') throw new TypeError('getBody: a form has another boundary each time it is made; give it as body')
  return made
}

/** The fields with what the body is, where nobody has said it. */
export function withType(headers: Headers, body: FrozenBody): Headers {
  if (body.kind !== 'bytes' || body.type === undefined || headers.has('content-type')) return headers
  const typed = new Headers(headers)
  typed.set('content-type', body.type)
  return typed
}

function brandOf(body: unknown): string {
  return Object.prototype.toString.call(body).slice(8, -1)
}

async function freezeBlob(blob: Blob): Promise<FrozenBody> {
  const value = blob instanceof Blob ? blob : new Uint8Array(await (blob as Blob).arrayBuffer())
  return { kind: 'bytes', value, ...(blob.type !== '' && { type: blob.type }) }
}

/** The runtime's own form with the entries of another one. */
async function formOf(other: FormData): Promise<FormData> {
  const form = new FormData()
  for (const [name, value] of other as unknown as Iterable<[string, string | File]>) {
    if (typeof value === 'string') form.append(name, value)
    else form.append(name, new Blob([await value.arrayBuffer()], { type: value.type }), value.name)
  }
  return form
}

function isStream(body: unknown): body is ReadableStream<Uint8Array> | AsyncIterable<Uint8Array> {
  return typeof body === 'object' && body !== null && (Symbol.asyncIterator in body || 'getReader' in body)
}

/** Whether the same bytes can be sent more than once. */
export function isReplayable(body: FrozenBody): boolean {
  return body.kind !== 'once'
}

/**
 * A frozen body as a stream. For a runtime that sends requests again by itself, bytes and requests without a body alike, and
 * leaves only streams alone.
 */
export function asStream(body: FrozenBody): ReadableStream {
  const value = body.kind === 'bytes' ? body.value : ''
  return value instanceof Blob ? value.stream() : new Blob([value]).stream()
}
