import type { PolicyOptions } from '@hopwise/core'
import type { Certificate } from '../self-signed.js'

/** What an instance is started with. */
export interface InstanceOptions {
  readonly server: string
  readonly port: number
  readonly seed: number
  readonly tls: Certificate | undefined
  /** Closing the listener has to wait for the relay in front. */
  readonly gated: boolean
  /** Hopwise's policy. */
  readonly policy: PolicyOptions
  /** When the peers cut what is left. */
  readonly deadlineMs: number
}

/** What an instance tells. */
export type FromInstance =
  | { readonly kind: 'listening' }
  /** The listener wants to close: the relay in front has to close first. */
  | { readonly kind: 'closing' }
  /** Hopwise has drained; so many connections had to be cut. */
  | { readonly kind: 'drained'; readonly forced: number }

/** What an instance is told. */
export type ToInstance =
  /** Say that you are not ready; SIGTERM comes later. */
  | { readonly kind: 'leave' }
  /** The relay is closed; it has made so many connections to this instance. */
  | { readonly kind: 'relay-closed'; readonly connections: number }
