import { hopwise } from '@hopwise/client/undici'
import type { LabClient, LabClientOptions } from './client.js'
import { hopwiseOptions } from './hopwise-options.js'
import { agentOptions, sendByUndici, type Undici } from './undici.js'

/** hopwise() on an Agent. */
export function open(undici: Undici, options: LabClientOptions): LabClient {
  const interceptor = hopwise(hopwiseOptions(options))
  let attempts = 0
  interceptor.on('attempt', () => (attempts += 1))
  const dispatcher = new undici.Agent(agentOptions(options)).compose(interceptor)
  return { send: (request) => sendByUndici(undici, dispatcher, request), attempts: () => attempts }
}
