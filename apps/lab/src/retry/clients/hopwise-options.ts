import type { CommonOptions } from '@hopwise/client'
import type { LabClientOptions } from './client.js'

/** As it comes, but for silence where it is asked for: its 60 s would outlast the lab's patience. */
export function hopwiseOptions({ silenceMs }: LabClientOptions): CommonOptions {
  return silenceMs === undefined ? {} : { firstByteTimeout: silenceMs }
}
