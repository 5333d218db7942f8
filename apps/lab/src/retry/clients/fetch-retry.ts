import fetchRetry from 'fetch-retry'
import type { LabClient } from './client.js'
import { sendByFetch, type LabFetch } from './fetch.js'

/** fetch-retry as it comes: three retries; 100 ms apart instead of a second. */
export function open(): LabClient {
  const retrying: LabFetch = fetchRetry(fetch, { retryDelay: 100 })
  return { send: (request) => sendByFetch(retrying, request) }
}
