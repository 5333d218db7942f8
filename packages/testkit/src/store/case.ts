import type { StoreSupports } from './contract.js'
import type { StoreTools } from './tools.js'

/** One demand of the contract, as the files in `cases` write it down. */
export interface StoreCase {
  readonly title: string
  /** The flag, or flags, without which the case does not apply. */
  readonly needs?: keyof StoreSupports | readonly (keyof StoreSupports)[]
  readonly run: (tools: StoreTools) => Promise<void>
}
