import { HopwiseError } from '../errors.js'
import { bodyCopy } from './body-copy.js'

/**
 * The raw bytes of a request's body. It is used up then: a new request has to be handed on.
 * @returns `null` where there are more than `limit` bytes; the rest is not read
 * @throws HopwiseError `body-already-read`; whatever reading throws where the client goes away before the body is whole
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer> | null> {
  if (request.bodyUsed || request.body?.locked) {
    throw new HopwiseError('body-already-read', 'protect the handler before the body is read')
  }
  if (!request.body) return new Uint8Array()
  if (Number(request.headers.get('content-length')) > limit) return null
  const copy = bodyCopy(limit)
  const reader = (request.body as ReadableStream<Uint8Array>).getReader()
  while (copy.size() <= limit) {
    const { done, value } = await reader.read()
    if (done) return copy.take()
    copy.add(value)
  }
  reader.cancel().catch(() => {})
  return null
}
