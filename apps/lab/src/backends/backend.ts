import type { IdempotencyStore } from '@hopwise/core'

/** How a worker reaches a backend: plain data, so that it fits into an argument. */
export interface BackendAddress {
  readonly name: string
  /** The port of Redis or PostgreSQL; 0 where there is none. */
  readonly port: number
  /** The folder of the SQLite files; '' where there is none. */
  readonly folder: string
}

/** A store in use, with an effect beside it that can be counted. */
export interface Backend {
  readonly store: IdempotencyStore
  readonly mode: 'leased' | 'same-transaction'
  /**
   * The effect of a handler: notes once more that `key` was worked. In same-transaction mode it is part of the run's
   * `transaction`; in leased mode it stands for what lies outside, and is not taken back by anything.
   */
  effect(key: string, transaction: unknown): Promise<void>
  /** How often each key was worked. */
  effects(): Promise<ReadonlyMap<string, number>>
  close(): Promise<void>
}

/** A backend's real component, started privately. */
export interface BackendServer {
  readonly address: BackendAddress
  readonly version: string
  /** Freezes, unfreezes, kills and restarts it; absent where there is no server. */
  readonly faults?: {
    freeze(): void
    thaw(): void
    kill(): Promise<void>
    restart(): Promise<void>
  }
  stop(): Promise<void>
}
