/** Whether the same bytes can be sent more than once. */
export function isReplayable(body: unknown): boolean {
  return body === undefined || body === null || typeof body === 'string' || isBytes(body) || body instanceof Blob
}

/** The body as it is now: bytes are copied, since the caller may overwrite them before the last attempt. */
export function frozen(body: unknown): unknown {
  if (!isBytes(body)) return body
  return Buffer.from(ArrayBuffer.isView(body) ? new Uint8Array(body.buffer, body.byteOffset, body.byteLength) : new Uint8Array(body))
}

function isBytes(body: unknown): body is ArrayBuffer | ArrayBufferView {
  return body instanceof ArrayBuffer || ArrayBuffer.isView(body)
}
