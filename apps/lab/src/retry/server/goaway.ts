import { once } from 'node:events'
import { constants, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'

/** How a session is ended under a stream that it has read whole. */
interface Goaway {
  readonly code: number
  /** The last id that is named: the stream's, or the one before it. */
  readonly last: 'at' | 'below'
  /** Whether a GOAWAY goes before that names no stream yet, as a graceful end begins (RFC 9113 6.8). */
  readonly twoStep: boolean
}

const { NGHTTP2_NO_ERROR: noError, NGHTTP2_INTERNAL_ERROR: internalError, NGHTTP2_ENHANCE_YOUR_CALM: enhanceYourCalm } = constants

/** By the name of the fault. */
export const goaways = {
  'goaway-above': { code: noError, last: 'below', twoStep: false },
  'goaway-at': { code: noError, last: 'at', twoStep: false },
  'goaway-error': { code: internalError, last: 'at', twoStep: false },
  'goaway-calm': { code: enhanceYourCalm, last: 'below', twoStep: false },
  'goaway-two-step': { code: noError, last: 'at', twoStep: true },
  'goaway-two-step-above': { code: noError, last: 'below', twoStep: true },
} as const satisfies Readonly<Record<string, Goaway>>

/** One of {@link goaways}. */
export type GoawayFault = keyof typeof goaways

const noStreamYet = 2 ** 31 - 1
const mostClosingMs = 1_000

/**
 * Ends the session under a stream. A graceful end answers the stream that its last id covers; otherwise the connection ends without an answer.
 * @param answer answers the stream
 */
export async function endUnder(stream: ServerHttp2Stream, fault: GoawayFault, socket: Socket | undefined, answer: () => void): Promise<void> {
  const session = stream.session as ServerHttp2Session
  const { code, last, twoStep } = goaways[fault]
  const id = stream.id ?? 0
  if (twoStep) {
    await told(session, noError, noStreamYet)
    // A client that gives the session up at once.
    if (session.destroyed) return
  }
  await told(session, code, last === 'at' ? id : id - 2)
  if (!twoStep || last === 'below') socket?.end()
  else if (!stream.destroyed) {
    answer()
    session.close()
  }
}

/** Ends a session on which nothing is under way: GOAWAY, then the connection. Resolves when the client has closed its side. */
export async function endIdle(session: ServerHttp2Session, socket: Socket | undefined): Promise<void> {
  const closed = once(session, 'close')
  session.close()
  // A client that keeps its side open is not waited for.
  const timer = setTimeout(() => socket?.destroy(), mostClosingMs)
  await closed
  clearTimeout(timer)
}

/** Sends GOAWAY; resolves when the client has it, or has gone. The frame is written in the turn after this one; a PING behind it comes back. */
function told(session: ServerHttp2Session, code: number, lastId: number): Promise<void> {
  return new Promise((resolve) => {
    session.once('close', resolve)
    session.goaway(code, lastId)
    session.ping(() => resolve())
  })
}
