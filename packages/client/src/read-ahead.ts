import type { FrozenBody } from './body.js'
import { follow, type Source } from './follower.js'
import { OnceBody } from './once-body.js'

/** A Request's body that is longer stays a stream. */
const mostAhead = 1_048_576

/**
 * Reads the body of a Request. Whatever it was made of, a Request shows it as a stream; one of up to 1 MiB is read here, so that it can be sent
 * again, and a longer one goes on as the stream that it is.
 * @param signals with the first of which the caller gives up: the stream is told
 * @throws TypeError where a chunk is neither bytes nor text
 */
export async function readAhead(body: ReadableStream<Uint8Array>, signals: readonly Source[] = [], most = mostAhead): Promise<FrozenBody> {
  const reader = body.getReader()
  const { signal, release } = follow(signals)
  signal.addEventListener('abort', () => void reader.cancel(signal.reason).catch(() => {}), { once: true })
  const chunks: Uint8Array<ArrayBuffer>[] = []
  try {
    for (let size = 0; size <= most; ) {
      const { done, value } = await reader.read()
      if (done) return { kind: 'bytes', value: new Uint8Array(await new Blob(chunks).arrayBuffer()) }
      const chunk = bytesOf(value)
      size += chunk.length
      chunks.push(chunk)
    }
  } finally {
    release()
  }
  const rest = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = chunks.shift()
      if (chunk !== undefined) return controller.enqueue(chunk)
      const { done, value } = await reader.read()
      if (done) controller.close()
      else controller.enqueue(bytesOf(value))
    },
    cancel: (reason) => reader.cancel(reason),
  })
  return new OnceBody(rest)
}

/** A copy of a chunk. Node takes texts as well. */
function bytesOf(chunk: unknown): Uint8Array<ArrayBuffer> {
  if (typeof chunk === 'string') return new TextEncoder().encode(chunk)
  if (!ArrayBuffer.isView(chunk)) throw new TypeError('a chunk of the body is neither bytes nor text')
  return new Uint8Array(new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength))
}
