import type { IncomingMessage } from 'node:http'
import { HopwiseError } from '@hopwise/core'

/** Thrown where the client went away before its body was whole: there is nobody left to answer. */
export class RequestAborted extends Error {
  constructor() {
    super('the client went away before the request body was complete')
    this.name = 'RequestAborted'
  }
}

interface WithParsedBody {
  readonly rawBody?: unknown
  readonly body?: unknown
}

/**
 * The raw bytes of a request's body, with the request left as if nobody had read it: a parser or handler that comes
 * after gets the very same bytes. Where a parser came before, its raw copy is taken: `rawBody` (Nest, or
 * {@link keepRawBody}), or a `body` that is bytes (`express.raw()`).
 * @returns `'too-large'` where there are more than `limit` bytes; the rest is then left unread
 * @throws RequestAborted
 * @throws HopwiseError `body-already-read` where somebody consumed the body and kept no raw copy
 */
export async function readRawBody(request: IncomingMessage, limit: number): Promise<Uint8Array | 'too-large'> {
  const { rawBody, body } = request as WithParsedBody
  const kept = rawBody instanceof Uint8Array ? rawBody : body instanceof Uint8Array ? body : undefined
  if (kept !== undefined) return kept.length > limit ? 'too-large' : kept
  const announced = request.headers['content-length']
  if (request.headers['transfer-encoding'] === undefined && Number(announced ?? 0) === 0) return new Uint8Array()
  if (Number(announced ?? 0) > limit) return 'too-large'
  if (request.readableDidRead || request.readableFlowing !== null || request.readableEncoding !== null) {
    throw new HopwiseError(
      'body-already-read',
      'the request body was read before the idempotency middleware ran: mount it before the body parser, or let the parser keep the bytes, e.g. express.json({ verify: keepRawBody })',
    )
  }
  return readAndGiveBack(request, limit)
}

/**
 * A `verify` hook for the body parsers of Express, for apps that parse bodies before the idempotency middleware runs.
 * @example app.use(express.json({ verify: keepRawBody }))
 */
export function keepRawBody(request: IncomingMessage, _response: unknown, bytes: Uint8Array): void {
  Object.assign(request, { rawBody: bytes })
}

function readAndGiveBack(request: IncomingMessage, limit: number): Promise<Uint8Array | 'too-large'> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = []
    let size = 0

    const stop = (): void => {
      request.off('readable', onReadable)
      request.off('close', onGone)
      request.off('error', onGone)
    }
    const onGone = (): void => {
      stop()
      reject(new RequestAborted())
    }
    const onReadable = (): void => {
      for (let chunk: Buffer | null; (chunk = request.read() as Buffer | null) !== null; ) {
        chunks.push(chunk)
        size += chunk.length
        if (size > limit) {
          stop()
          return resolve('too-large')
        }
      }
      if (!request.complete) return
      stop()
      const whole = chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks)
      // In the same tick as the last read: 'end' is not emitted yet. One tick later the stream would have ended, and a
      // parser would see nothing.
      if (whole.length > 0) {
        request.unshift(whole)
        outliveConnection(request)
      }
      resolve(whole)
    }
    request.on('readable', onReadable)
    request.on('close', onGone)
    request.on('error', onGone)
  })
}

/**
 * Lets a body that is whole be read although its client is gone. Node destroys the request of a lost connection, and the
 * parsers of Express take one whose socket is not readable for one that was read (on-finished): a failure, or a handler
 * without a body, would be the key's result.
 */
function outliveConnection(request: IncomingMessage): void {
  const destroy = request.destroy.bind(request)
  request.destroy = (error) => {
    const lost = (error as NodeJS.ErrnoException | undefined)?.code === 'ECONNRESET'
    if (!lost || request.readableEnded) return destroy(error)
    Object.defineProperty(request, 'socket', { value: Object.create(request.socket, { readable: { value: true } }), configurable: true, writable: true })
    return request
  }
}
