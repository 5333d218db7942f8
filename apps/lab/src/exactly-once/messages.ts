import type { BackendAddress } from '../backends/backend.js'

/** What an instance is started with. */
export interface InstanceOptions {
  readonly port: number
  readonly address: BackendAddress
}

/** What an instance tells. */
export type FromInstance =
  | { readonly kind: 'listening' }
  /** An order is written and not committed, and stays so: now is the moment to kill. */
  | { readonly kind: 'holding' }

/** What an instance is told: to hold the next order between its row and its response. */
export type ToInstance = { readonly kind: 'hold-next' }
