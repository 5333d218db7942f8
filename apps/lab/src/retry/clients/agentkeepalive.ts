import { once } from 'node:events'
import { request as httpRequest, type IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import { HttpAgent } from 'agentkeepalive'
import type { LabClient } from './client.js'

/** `http.request` by an agent of agentkeepalive. */
export function open(): LabClient {
  const agent = new HttpAgent()
  return {
    async send({ url, method, headers, body, signal }) {
      const sent = httpRequest(url, { method, headers: { ...headers }, agent, signal }).end(body)
      const [response] = (await once(sent, 'response')) as [IncomingMessage]
      return { status: response.statusCode ?? 0, body: await text(response) }
    },
  }
}
