import type { Duration } from '../duration.js'
import type { DrainPhase } from './step.js'

/** What is known of a connection at the moment in which a response's header is written. */
export interface ConnectionView {
  readonly phase: DrainPhase
  /** Requests on the same connection that arrived after this one and have no response yet. */
  readonly pipelinedBehind: number
  /** Requests on the connection up to this one, counting from 1. */
  readonly requests: number
  /** After how many of them it ends; `Infinity` where nothing limits it. */
  readonly maxRequests: number
  /** Milliseconds since it was accepted. */
  readonly age: number
  /** The age from which it ends, its own by {@link jitteredAge}; `Infinity` where nothing limits it. */
  readonly maxAge: number
}

/**
 * May this connection live on after the response whose header is being written? While draining it may not, nor once it
 * is too old or has had its number of requests; and only the last of pipelined responses may say so: whatever follows
 * `close` is not answered (RFC 9112 9.6). While announcing it may in any case: each `close` would make the hop in front
 * open a new connection to a listener that is about to go.
 */
export function connectionDecision(view: ConnectionView): 'keep' | 'close' {
  const worn = view.phase === 'ready' && (view.requests >= view.maxRequests || view.age >= view.maxAge)
  const ending = worn || view.phase === 'draining' || view.phase === 'closed'
  return ending && view.pipelinedBehind === 0 ? 'close' : 'keep'
}

/**
 * The age limit of one connection: `limit` ± 10 %, so that connections that were opened together (after a deploy, say)
 * do not all end together.
 * @param random from 0 up to 1
 */
export function jitteredAge(limit: Duration | undefined, random: number): number {
  return limit === undefined ? Number.POSITIVE_INFINITY : limit * (0.9 + 0.2 * random)
}
