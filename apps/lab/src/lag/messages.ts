/** In which phase of the event loop the callback that blocks it runs. */
export type Phase = 'timer' | 'poll' | 'check'

/** What the server is started with. */
export interface LagOptions {
  readonly server: 'node' | 'hopwise'
  readonly phase: Phase
  /** How far the block reaches beyond the idle deadline. */
  readonly lagMs: number
  readonly sockets: number
}

/** What the server tells. */
export type FromServer =
  | { readonly kind: 'listening'; readonly port: number }
  /** From now on the event loop is blocked; the first answers went out within so many milliseconds. */
  | { readonly kind: 'blocked'; readonly spreadMs: number }
