import type { Evidence } from '../evidence.js'
import { causesOf, isRefusal } from '../request-error.js'
import type { WatchedSocket } from './socket.js'

/**
 * What was seen of one attempt. It holds no body and no field: a connection that is opened for an attempt keeps this record for as
 * long as it lives.
 */
export interface Attempt {
  readonly origin: string
  readonly method: string
  /** How long its connection may be idle afterwards, in milliseconds. */
  readonly idleLimit: () => number | undefined
  /** Whether the attempt is over: what is seen later belongs to something else. */
  over: boolean
  /** How many requests the runtime made of it. */
  requests: number
  /** How many of those have not ended. */
  open: number
  /** Called once all of them have. */
  readonly atEnd: (() => void)[]
  sent: boolean
  /** How often it was: undici 8 sends a request anew by itself where it takes it for refused. */
  sends: number
  /** Whether something else was sent in it, wherever to: what a fetch does beside the request, or in its place. */
  sentElse: boolean
  /** The attempt in which it was made, by a client around this one, until it is known there that something was sent. */
  within: Attempt | undefined
  reused: boolean | 'unknown'
  /** How long its connection had been idle, in milliseconds. */
  idleAge: number | undefined
  responseSeen: boolean
  socket: WatchedSocket | undefined
  /** What the socket had read when the request was sent. */
  readBefore: number
  /** The flow of the socket at the last look, at first what it had written when the request was sent. */
  flow: number
  /** So many bytes, written since then and gone, say of no upload that it went on: they went out at once. */
  atOnce: number
}

/** A record in which nothing was seen yet. */
export function newAttempt(origin: string, method: string, idleLimit: () => number | undefined): Attempt {
  return { origin, method, idleLimit, over: false, requests: 0, open: 0, atEnd: [], sent: false, sends: 0, sentElse: false, within: undefined, reused: 'unknown', idleAge: undefined, responseSeen: false, socket: undefined, readBefore: 0, flow: 0, atOnce: 65_536 }
}

/** Something was sent in an attempt that is not its own request. */
export function somethingElseSent(attempt: Attempt): void {
  attempt.sentElse = true
  toldWithin(attempt)
}

/** Something was sent in an attempt: a client around it has not sent nothing. */
export function toldWithin(attempt: Attempt): void {
  const { within } = attempt
  if (within === undefined) return
  attempt.within = undefined
  somethingElseSent(within)
}

/** Calls back once every request of the attempt has ended, at once where they have. */
export function whenEnded({ open, atEnd }: Attempt, callback: () => void): void {
  if (open === 0) callback()
  else atEnd.push(callback)
}

/** One request of the attempt has ended: its response has come to its end, or it has failed. */
export function requestEnded(attempt: Attempt): void {
  attempt.open -= 1
  if (attempt.open === 0) for (const callback of attempt.atEnd.splice(0)) callback()
}

/**
 * What the record of an attempt comes to, now that it has failed.
 * @param connectErrors errors by which opening a connection failed
 */
export function evidenceOf(attempt: Attempt, error: unknown, aborted: boolean, connectErrors: { has(error: object): boolean }): Evidence {
  const neverConnected = !attempt.sent && !attempt.sentElse && causesOf(error).some((cause) => connectErrors.has(cause))
  return {
    // Without the event of sending it is not known: undici 6 has none over HTTP/2. That connecting failed is an event.
    sent: attempt.sent ? true : neverConnected ? false : 'unknown',
    // Two requests in one attempt: an interceptor has sent one of its own, and which of them died cannot be told.
    reused: attempt.sent && attempt.requests === 1 ? attempt.reused : 'unknown',
    responseBytes: responseBytes(attempt),
    // A refusal says nothing of what was sent before it; and none is repeated more than once (RFC 9113 8.7).
    refused: attempt.sends < 2 && isRefusal(error),
    aborted,
  }
}

function responseBytes({ responseSeen, socket, readBefore }: Attempt): number {
  // Over HTTP/2 the bytes are those of all streams. Over TLS they are cleartext: an alert does not count (measured, Node 20 and 24).
  const read = socket === undefined || socket.alpnProtocol === 'h2' ? 0 : Math.max(0, socket.bytesRead - readBefore)
  return responseSeen ? Math.max(1, read) : read
}
