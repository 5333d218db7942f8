import { utf8 } from '../utf8.js'

/** Reads a body one chunk ahead, so that its last chunk is known as the last one before it is sent. */
export interface LookAhead {
  /** The next chunk, `undefined` at the end. The one behind it is asked for at once. Rejects where the body breaks off. */
  take(): Promise<Uint8Array | undefined>
  /**
   * Whether the body ends behind what was taken. `undefined` where that is not known within this turn of the event loop;
   * with `patient`, it is waited for.
   */
  endsHere(patient: boolean): Promise<boolean | undefined>
}

/** Begins to read a body. */
export function lookAhead(body: ReadableStream<unknown>): LookAhead {
  const reader = body.getReader()
  const read = () => {
    const next = reader.read()
    // Whoever takes it is told.
    next.catch(() => {})
    return next
  }
  let next = read()
  return {
    take: async () => {
      const { done, value } = await next
      if (done) return undefined
      next = read()
      return toBytes(value)
    },
    endsHere: (patient) =>
      new Promise((resolve) => {
        if (!patient) setTimeout(resolve, 0, undefined)
        next.then(({ done }) => resolve(done), () => resolve(false))
      }),
  }
}

/** Servers take text and buffers as well, although the standard says bytes. */
function toBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return utf8(chunk)
  return ArrayBuffer.isView(chunk) ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength) : new Uint8Array(chunk as ArrayBuffer)
}
