import type { IdempotencyStore, RequestIdOptions } from '@hopwise/core'
import type { AdapterCapabilities, AdapterSetup } from './contract.js'
import type { AdapterTools } from './tools.js'

/** One demand of the contract, as the files in `cases` write it down. */
export interface AdapterCase {
  readonly title: string
  /** The capability without which the case does not apply. */
  readonly needs?: keyof AdapterCapabilities
  readonly setup?: {
    readonly store?: () => IdempotencyStore
    readonly idempotency?: Omit<AdapterSetup['idempotency'], 'store'>
    readonly requestId?: RequestIdOptions
  }
  readonly run: (tools: AdapterTools) => Promise<void>
}
