import { HopwiseError } from '../errors.js'
import { BodyCopy } from './body-copy.js'

/**
 * The raw bytes of a request's body. It is used up then: hand on {@link withBody}.
 * @returns `'too-large'` where there are more than `limit` bytes; the rest is not read
 * @throws HopwiseError `body-already-read`; whatever reading throws where the client goes away before the body is whole
 */
export async function readBody(request: Request, limit: number): Promise<Uint8Array<ArrayBuffer> | 'too-large'> {
  if (request.bodyUsed) throw alreadyRead()
  const { body } = request
  if (body === null) return new Uint8Array()
  if (body.locked) throw alreadyRead()
  if (Number(request.headers.get('content-length') ?? 0) > limit) return 'too-large'
  const copy = new BodyCopy(limit)
  const reader = (body as ReadableStream<Uint8Array>).getReader()
  for (;;) {
    const { done, value } = await reader.read()
    if (done) return copy.take() ?? 'too-large'
    copy.add(value)
    if (copy.size > limit) {
      reader.cancel().catch(() => {})
      return 'too-large'
    }
  }
}

/** The same request with these bytes as its body, unread; of the same class, so that a framework's own stays one. */
export function withBody(request: Request, bytes: Uint8Array<ArrayBuffer>): Request {
  const Kind = request.constructor as typeof Request
  return new Kind(request, { body: bytes })
}

function alreadyRead(): HopwiseError {
  return new HopwiseError('body-already-read', 'the request body was read before its fingerprint was taken: protect the handler before anything reads the body')
}
