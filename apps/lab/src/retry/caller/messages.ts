import type { Method } from '../cases.js'
import type { LabClientOptions } from '../clients/client.js'
import type { ClientName } from '../clients/registry.js'

/** What a caller is started with. */
export interface CallerOptions extends LabClientOptions {
  readonly client: ClientName
}

/** A good GET, whose connection is in the pool when it is done. */
export interface WarmJob {
  readonly kind: 'warm'
  readonly url: string
}

/** One call. */
interface OneJob {
  readonly kind: 'one'
  readonly url: string
  readonly method: Method
  readonly patienceMs: number
}

/** Calls that are lost on used connections, between others that are not, until so many were lost. */
export interface LossesJob {
  readonly kind: 'losses'
  readonly origin: string
  readonly losses: number
  readonly seed: number
}

/** A call with so many connections in the pool, all of them dead. */
export interface DeadSocketsJob {
  readonly kind: 'dead-sockets'
  readonly origin: string
  readonly sockets: number
  readonly method: Method
}

/** Calls while nothing works. */
export interface OutageJob {
  readonly kind: 'outage'
  readonly origin: string
  readonly calls: number
}

/** What a caller is asked to do, a line of JSON each. */
export type Job = WarmJob | OneJob | LossesJob | DeadSocketsJob | OutageJob

/** `status 200`, or `ERR` with a code. `ms` from the call to its outcome. */
export interface CallResult {
  readonly outcome: string
  readonly ms: number
}

/** How calls of one method fared. */
export interface Fared {
  /** How many of them were lost on their first way. */
  readonly lost: number
  /** How many of those ended with 200 nevertheless. */
  readonly recovered: number
}

/** Times are those of a call as its caller sees it, in milliseconds. */
export interface LossesResult {
  readonly methods: Readonly<Record<string, Fared>>
  /** How many calls were answered with 200, whatever they were. */
  readonly answered: number
  /** How often the client sent one again. */
  readonly sentAgain: number
  readonly plainP99: number
  readonly plainFailed: number
  readonly repairP99: number
}

/** What an outage was for its callers. */
export interface OutageResult {
  /** How many calls were answered with 200. */
  readonly good: number
  /** How often the client gave a request to the runtime. */
  readonly attempts: number
}

/** What each job results in. */
export interface Results {
  readonly warm: true
  readonly one: CallResult
  readonly losses: LossesResult
  readonly 'dead-sockets': CallResult
  readonly outage: OutageResult
}
