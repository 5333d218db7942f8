import type { DrainPhase } from './step.js'

/** What is known of a connection at the moment in which a response's header is written. */
export interface ConnectionView {
  readonly phase: DrainPhase
  /** Requests on the same connection that arrived after this one and have no response yet. */
  readonly pipelinedBehind: number
}

/**
 * May this connection live on after the response whose header is being written? While draining it may not, and only
 * the last of pipelined responses may say so: whatever follows `close` is not answered (RFC 9112 9.6). While
 * announcing it may: each `close` would make the hop in front open a new connection to a listener that is about to go.
 */
export function connectionDecision(view: ConnectionView): 'keep' | 'close' {
  const ending = view.phase === 'draining' || view.phase === 'closed'
  return ending && view.pipelinedBehind === 0 ? 'close' : 'keep'
}
