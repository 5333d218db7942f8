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
 * boundary is the same on every attempt; a stream can only be sent once.
 * @param make makes the body anew for each attempt
 */
export async function freezeBody(body: unknown, make?: () => unknown): Promise<FrozenBody> {
  if (make !== undefined) return { kind: 'made', make }
  if (body === undefined || body === null) return { kind: 'none' }
  if (body instanceof URLSearchParams) return { kind: 'bytes', value: String(body), type: 'application/x-www-form-urlencoded;charset=UTF-8' }
  if (body instanceof ArrayBuffer) return { kind: 'bytes', value: new Uint8Array(body.slice(0)) }
  if (ArrayBuffer.isView(body)) return { kind: 'bytes', value: new Uint8Array(new Uint8Array(body.buffer, body.byteOffset, body.byteLength)) }
  if (body instanceof Blob) return { kind: 'bytes', value: body, ...(body.type !== '' && { type: body.type }) }
  if (body instanceof FormData) {
    const encoded = new Response(body)
    // Not its Blob: the type of that is in lower case, and a boundary is not.
    return { kind: 'bytes', value: new Uint8Array(await encoded.arrayBuffer()), type: encoded.headers.get('content-type') ?? 'multipart/form-data' }
  }
  if (isStream(body)) return new OnceBody(body)
  return { kind: 'bytes', value: String(body), type: 'text/plain;charset=UTF-8' }
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
