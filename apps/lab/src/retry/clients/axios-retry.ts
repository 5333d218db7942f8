import { create } from 'axios'
import axiosRetry from 'axios-retry'
import type { LabClient } from './client.js'

/** axios with axios-retry, both as they come. */
export function open(): LabClient {
  const client = create({ responseType: 'text' })
  axiosRetry(client)
  return {
    async send({ body, headers, ...request }) {
      const { status, data } = await client.request<string>({ ...request, headers: { ...headers }, data: body })
      return { status, body: data }
    },
  }
}
