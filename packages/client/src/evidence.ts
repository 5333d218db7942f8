/**
 * What is known of one attempt when it ended without a response. Plain data: whoever gathers it, a decision reads it.
 * Where nothing told, it says `'unknown'`: a missing event is never "not sent".
 */
export interface Evidence {
  /** Whether a byte of the request may have left. */
  readonly sent: boolean | 'unknown'
  /** Whether it was sent on a connection that had carried a request before. */
  readonly reused: boolean | 'unknown'
  /** How many bytes of a response have come, at least; 1xx counts as well. */
  readonly responseBytes: number
  /** Whether the server has said that it did not begin: REFUSED_STREAM, or an id above GOAWAY's last (RFC 9113 8.7). */
  readonly refused: boolean
  /** Whether the caller has given up. */
  readonly aborted: boolean
}

/**
 * What an attempt's evidence comes to.
 * - `aborted`: the caller has given up.
 * - `response-started`: a response has begun, so the request was served.
 * - `refused`: the server says that it did not begin.
 * - `not-sent`: no byte of the request has left.
 * - `stale-reuse`: sent on a reused connection that died without a byte of a response. Most likely it was closed before the
 *   request arrived, and nobody can know (RFC 9112 9.3.1).
 * - `fresh-loss`: sent, or maybe sent, on a connection that died. A server that crashes on this request looks like that.
 */
export type Verdict = 'aborted' | 'response-started' | 'refused' | 'not-sent' | 'stale-reuse' | 'fresh-loss'

/** Where nothing is known: a runtime that tells nothing. */
export const noEvidence: Evidence = { sent: 'unknown', reused: 'unknown', responseBytes: 0, refused: false, aborted: false }

/** Before the first attempt of a call. */
export const nothingSent: Evidence = { ...noEvidence, sent: false }

/** Where the header of a response has come. */
export const answeredEvidence: Evidence = { sent: true, reused: 'unknown', responseBytes: 1, refused: false, aborted: false }

/** The verdict on an attempt that ended without a whole response header. */
export function verdictOf(evidence: Evidence): Verdict {
  if (evidence.aborted) return 'aborted'
  if (evidence.responseBytes > 0) return 'response-started'
  if (evidence.refused) return 'refused'
  if (evidence.sent === false) return 'not-sent'
  return evidence.sent === true && evidence.reused === true ? 'stale-reuse' : 'fresh-loss'
}

/**
 * What is known of a call after one more attempt: that of the last attempt which may have reached a server. A connection that is refused
 * after another one was lost does not mean that nothing was sent.
 */
export function overall(before: Evidence, last: Evidence): Evidence {
  const isNews = (last.sent !== false && !last.refused) || before.sent === false
  return isNews ? last : { ...before, aborted: last.aborted }
}
