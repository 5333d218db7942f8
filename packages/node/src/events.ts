import type { Socket } from 'node:net'
import type { DrainMode, DrainPhase } from '@hopwise/core'
import type { LongRequest } from './farewell.js'

/** What happened in one phase of a drain. */
export interface PhaseCounts {
  readonly milliseconds: number
  /** Requests that arrived in it. */
  readonly requests: number
  /** Connections that were accepted in it. */
  readonly connections: number
}

/** What a drain did, once it is over. */
export interface DrainReport {
  readonly mode: DrainMode
  /** Requests that were being answered when it began. */
  readonly inFlight: number
  /** Requests that arrived after it began and reached the application. */
  readonly servedWhileDraining: number
  /** The same by phase. */
  readonly phases: Readonly<Record<'announcing' | 'draining', PhaseCounts>>
  /** Requests that arrived so late that they were answered 503. */
  readonly shed: number
  /** Streams and upgraded sockets that were told to end. */
  readonly farewells: number
  /** Connections by what ended them. */
  readonly closed: {
    /** After a response that said `Connection: close`; HTTP/2: after GOAWAY. */
    readonly announced: number
    /** Idle for longer than the grace. */
    readonly idle: number
    /** By the other side, or by the application. */
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
  /** A stream or an upgraded socket is to be ended by its owner; see `hop.drainSignal`. */
  readonly farewell: { readonly request: LongRequest; readonly socket: Socket; readonly upgraded: boolean }
  /** A request took too long to arrive: it was answered 408, or cut where an answer had begun. */
  readonly slowRequest: { readonly part: 'header' | 'body'; readonly milliseconds: number }
  /** A connection beyond `maxConnections` was refused. */
  readonly refused: { readonly limit: number }
  /** A drain is over. */
  readonly drained: DrainReport
}
