import type { FrozenBody } from './body.js'
import { OnceBody } from './once-body.js'

/** A Request's body that is longer stays a stream. */
const mostAhead = 1_048_576

/**
 * Reads the body of a Request. Whatever it was made of, a Request shows it as a stream; one of up to 1 MiB is read here, so that it can be sent
 * again, and a longer one goes on as the stream that it is.
 */
export async function readAhead(body: ReadableStream<Uint8Array>, most = mostAhead): Promise<FrozenBody> {
  const reader = body.getReader()
  const chunks: Uint8Array<ArrayBuffer>[] = []
  for (let size = 0; size <= most; ) {
    const { done, value } = await reader.read()
    if (done) return { kind: 'bytes', value: new Uint8Array(await new Blob(chunks).arrayBuffer()) }
    size += value.length
    chunks.push(new Uint8Array(value))
  }
  const rest = new ReadableStream<Uint8Array>({
    async pull(controller) {
      const chunk = chunks.shift()
      if (chunk !== undefined) return controller.enqueue(chunk)
      const { done, value } = await reader.read()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: (reason) => reader.cancel(reason),
  })
  return new OnceBody(rest)
}
