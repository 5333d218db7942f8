import pRetry from 'p-retry'
import type { LabClient } from './client.js'
import { sendByFetch } from './fetch.js'

/** p-retry around fetch and the reading of the body: two retries, from 100 ms on. */
export function open(): LabClient {
  return { send: (request) => pRetry(() => sendByFetch(fetch, request), { retries: 2, minTimeout: 100, signal: request.signal }) }
}
