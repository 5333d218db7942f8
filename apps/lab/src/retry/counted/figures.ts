import type { ClientName } from '../clients/registry.js'
import type { RuntimeName } from '../runtimes.js'

/** Who was counted. */
interface Counted {
  readonly client: ClientName
  readonly runtime: RuntimeName
}

/** Calls that lost their used connection after the server had read them, among others that did not. */
export type LossesFigure = Counted & {
  readonly figure: 'losses'
  /** `'none'`: with `budget: false`. */
  readonly budget: 'default' | 'none'
  readonly losses: number
  readonly losses_wanted: number
  readonly post_lost: number
  /** POSTs without a key that the server saw more than once. */
  readonly post_doubled: number
  readonly keyed_lost: number
  readonly keyed_recovered: number
  readonly keyed_sent_twice: number
  readonly keyed_sent_more: number
  readonly get_lost: number
  readonly get_recovered: number
  /** From the call to its answer, with the loss in between. */
  readonly get_repair_p99_ms: number
  /** The same of GETs that nothing happened to, in between those. */
  readonly plain_get_p99_ms: number
  readonly repair_to_plain: number
  readonly plain_failed: number
  /** Calls that ended with 200, whatever they were. */
  readonly answered: number
  /** How often Hopwise sent one again. What the runtime repeats by itself it does not see. */
  readonly sent_again: number
}

/** One call with so many connections in the pool, which all die under it. */
export type DeadSocketsFigure = Counted & {
  readonly figure: 'dead-sockets'
  readonly sockets: number
  readonly method: string
  readonly sends: number
  readonly outcome: string
  readonly ms: number
  /** The same call by the runtime's own fetch, where that repeats by itself. */
  readonly bare_sends?: number
  readonly bare_outcome?: string
}

/** Calls while nothing works: nobody listens, every request is reset, or every answer is 503. */
export type OutageFigure = Counted & {
  readonly figure: 'outage'
  readonly outage: 'refused' | 'reset' | 'unavailable'
  readonly calls: number
  /** What the server saw; what the client says that it sent where nobody listens. */
  readonly sends: number
  readonly sends_a_call: number
  readonly good: number
}

/** A line of what is counted. */
export type Figure = LossesFigure | DeadSocketsFigure | OutageFigure
