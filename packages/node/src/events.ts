import type { DrainMode, DrainPhase } from '@hopwise/core'

/** What a drain did, once it is over. */
export interface DrainReport {
  readonly mode: DrainMode
  /** Requests whose handlers were running when it began. */
  readonly inFlight: number
  /** Requests that arrived after it began, and were served. */
  readonly servedWhileDraining: number
  /** Connections by what ended them. */
  readonly closed: {
    /** After a response that said `Connection: close`. */
    readonly announced: number
    /** Idle for longer than the grace. */
    readonly idle: number
    /** By the other side. */
    readonly byPeer: number
    /** Cut at the deadline. */
    readonly forced: number
  }
  /** Handlers that still ran at the deadline although their client was gone. */
  readonly unfinished: number
  readonly milliseconds: number
}

/** What a hop tells. */
export interface HopEvents {
  /** The server entered a phase. */
  readonly phase: { readonly phase: DrainPhase; readonly openConnections: number; readonly running: number }
  /** A drain is over. */
  readonly drained: DrainReport
}
