import ky from 'ky'
import type { LabClient } from './client.js'
import { sendByFetch } from './fetch.js'

/** ky as it comes. */
export function open(): LabClient {
  return { send: (request) => sendByFetch((url, init) => ky(url, init), request) }
}
