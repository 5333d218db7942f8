import got from 'got'
import type { LabClient } from './client.js'

/** got as it comes. */
export function open(): LabClient {
  return {
    async send({ url, method, ...options }) {
      const { statusCode, body } = await got(url, { ...options, method: method as 'GET' | 'PUT' | 'DELETE' | 'POST', headers: { ...options.headers } })
      return { status: statusCode, body }
    },
  }
}
