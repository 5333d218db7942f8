import { createClient } from '@hopwise/client'
import type { LabClient, LabClientOptions } from './client.js'
import { sendByFetch } from './fetch.js'
import { hopwiseOptions } from './hopwise-options.js'

/** createClient around the runtime's own fetch. */
export function open(options: LabClientOptions): LabClient {
  const client = createClient(hopwiseOptions(options))
  let attempts = 0
  client.on('attempt', () => (attempts += 1))
  return { send: (request) => sendByFetch(client, request), attempts: () => attempts }
}
