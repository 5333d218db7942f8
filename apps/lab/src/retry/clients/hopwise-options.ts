import type { CommonOptions } from '@hopwise/client'
import type { LabClientOptions } from './client.js'

/** As it comes, but for what is asked for. Its 60 s of silence would outlast the lab's patience. */
export function hopwiseOptions({ silenceMs, withoutBudget = false }: LabClientOptions): CommonOptions {
  return { ...(silenceMs !== undefined && { firstByteTimeout: silenceMs }), ...(withoutBudget && { budget: false }) }
}
