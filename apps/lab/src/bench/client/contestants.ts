import { randomUUID } from 'node:crypto'
import { createClient } from '@hopwise/client'
import { hopwise } from '@hopwise/client/undici'
import { Agent, request, type Dispatcher } from 'undici'
import { sentBody, type Method } from './messages.js'

/** One call, with its response read: what came. */
type Call = (method: Method) => Promise<string>

const json = { 'content-type': 'application/json' }
/** Who has no client that makes the key makes it here. */
const keyed = () => ({ ...json, 'idempotency-key': randomUUID() })

/** What is measured, by name, made for the origin of the server. */
export const contestants = {
  fetch: (origin) => viaFetch(fetch, origin, keyed),
  createClient: (origin) => viaFetch(createClient({ trustedOrigins: [origin] }), origin, () => json),
  'undici.request': (origin) => viaRequest(new Agent(), origin, keyed),
  'hopwise()': (origin) => viaRequest(new Agent().compose(hopwise({ trustedOrigins: [origin] })), origin, () => json),
} as const satisfies Readonly<Record<string, (origin: string) => Call>>

/** The name of one. */
export type ContestantName = keyof typeof contestants

/** What is wrapped by what. */
export const pairs: readonly { readonly bare: ContestantName; readonly wrapped: ContestantName }[] = [
  { bare: 'fetch', wrapped: 'createClient' },
  { bare: 'undici.request', wrapped: 'hopwise()' },
]

function viaFetch(send: (url: string, init: RequestInit) => Promise<Response>, origin: string, fields: () => Record<string, string>): Call {
  const url = `${origin}/orders`
  return async (method) => {
    const response = await send(url, method === 'GET' ? {} : { method, headers: fields(), body: sentBody })
    return response.text()
  }
}

function viaRequest(dispatcher: Dispatcher, origin: string, fields: () => Record<string, string>): Call {
  const url = `${origin}/orders`
  return async (method) => {
    const { body } = await request(url, method === 'GET' ? { dispatcher } : { dispatcher, method, headers: fields(), body: sentBody })
    return body.text()
  }
}
