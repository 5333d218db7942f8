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

interface Endable {
  on?: (event: 'error', listener: () => void) => unknown
  destroy?: () => unknown
  cancel?: () => unknown
  return?: () => unknown
}

/** Ends a body that nobody reads to its end: a stream of Node or of the web, or an iterator. Never throws. */
export function endBody(body: unknown): void {
  if (typeof body !== 'object' || body === null) return
  const { on, destroy, cancel, return: finish } = body as Endable
  const end = [destroy, cancel, finish].find((method) => typeof method === 'function')
  const ignore = (): void => {}
  try {
    // It may still fail: a file that cannot be opened tells it after destroy().
    if (end === destroy && typeof on === 'function') on.call(body, 'error', ignore)
    // A web stream that is being read rejects: whoever reads it ends it.
    const ending: unknown = end?.call(body)
    if (end !== destroy) void Promise.resolve(ending).catch(ignore)
  } catch {
    // Its own affair; the call has failed for another reason.
  }
}
