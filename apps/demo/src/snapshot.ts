/** The two copies of the orders API. */
export type Side = 'plain' | 'hopwise'

/** What one instance of the API is doing. */
export type InstancePhase = 'starting' | 'ready' | 'announcing' | 'draining' | 'closed'

/** The acts in the order in which they run. */
export type ActName = 'idle-race' | 'deploy' | 'lost-answers'

/** One instance behind the proxy. */
export interface InstanceView {
  readonly name: 'A' | 'B'
  readonly phase: InstancePhase
  /** How many times it was started: 1, 2, … */
  readonly generation: number
}

/** One side at one moment; the figures count since the demo began. */
export interface SideView {
  /** Requests that clients sent to the proxy. */
  readonly requests: number
  /** Requests that were answered with 5xx, or not at all. */
  readonly failed: number
  /** Orders that exist more than once. */
  readonly duplicates: number
  /** Connections that the proxy opened to the two instances. */
  readonly connectionsOpened: number
  /** Requests that came to the instances on a connection that had carried one before. */
  readonly requestsReused: number
  readonly instances: readonly InstanceView[]
}

/** The figures of a finished act, as they stand in the JSON of `--json`. */
export interface ActResult {
  readonly act: ActName
  readonly plain: Readonly<Record<string, number>>
  readonly hopwise: Readonly<Record<string, number>>
}

/** All that the page shows at one moment. */
export interface Snapshot {
  /** E.g. `nginx 1.22.1`, or the name of the fallback proxy. */
  readonly proxy: string
  readonly act: ActName | 'starting' | 'done'
  /** Milliseconds since the demo began. */
  readonly elapsedMs: number
  readonly sides: Readonly<Record<Side, SideView>>
  readonly results: readonly ActResult[]
  /** Set when all acts are done: hopwise lost and doubled nothing, and plain did in every act. */
  readonly ok?: boolean
}
