import { noEvidence, type Evidence } from '../evidence.js'
import { isRefusal } from '../request-error.js'
import type { Attempt } from '../watch/attempt.js'
import type { Watch } from '../watch/watch.js'

/** One attempt, and what was seen of it by the handler. */
export interface DispatchAttempt {
  readonly record: Attempt
  /** How often the dispatcher has begun to send it; it does so again by itself where an HTTP/2 server refused it. */
  begun: number
  headSeen: boolean
  /** The exchange has gone on without it. */
  dropped: boolean
  /** Whether its very body can be sent once more; one that was made for it, a stream say, may not be. */
  replayable: boolean
  abort: ((reason?: unknown) => void) | undefined
  cancelTimer: () => void
  /** Ends a body that was made for it. */
  endBody: () => void
}

/** Makes an attempt of which nothing was seen yet. */
export function newDispatchAttempt(record: Attempt): DispatchAttempt {
  return { record, begun: 0, headSeen: false, dropped: false, replayable: false, abort: undefined, cancelTimer: () => {}, endBody: () => {} }
}

/** The exchange goes on without this attempt: nothing that it tells counts from here on. */
export function drop(attempt: DispatchAttempt): void {
  attempt.dropped = true
  attempt.record.over = true
  attempt.cancelTimer()
  attempt.endBody()
}

/** What is known of an attempt that has failed. */
export function evidenceOf({ record, begun, headSeen }: DispatchAttempt, watch: Watch | undefined, error: unknown, aborted: boolean): Evidence {
  const seen = watch?.evidence(record, error, aborted) ?? noEvidence
  return {
    // "Invoked before request is dispatched on socket" (undici, Dispatcher.md): an attempt that was not begun was not sent.
    sent: begun > 0,
    reused: begun > 0 ? seen.reused : 'unknown',
    responseBytes: headSeen ? Math.max(1, seen.responseBytes) : seen.responseBytes,
    // One that was begun twice was refused, and sent again, by the dispatcher itself.
    refused: isRefusal(error) && begun === 1,
    aborted,
  }
}
