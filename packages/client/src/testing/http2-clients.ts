import type { EventEmitter } from 'node:events'
import { createClientOf } from '../client.js'
import type { CommonOptions } from '../options.js'
import { hopwiseOf } from '../undici/interceptor.js'
import { undiciVersions, type TestRequest } from './bindings.js'

interface Http2Agent extends EventEmitter {
  compose(interceptor: unknown): object
  destroy(): Promise<void>
}

interface UndiciModule {
  readonly Agent: new (options: object) => Http2Agent
  request(url: string, options: object): Promise<{ statusCode: number; body: { text(): Promise<string> } }>
  fetch(url: string, init: object): Promise<Response>
}

/** A client on an agent of its own, which speaks HTTP/2 and trusts anybody. */
export interface Http2Client {
  readonly agent?: EventEmitter
  /** Sends a request and reads the answer. Gives its status, or the error. */
  send(url: string, request?: TestRequest): Promise<number | { readonly verdict?: string; readonly name: string }>
  close(): Promise<void>
}

/** One way to use the client over HTTP/2. */
export interface Http2Binding {
  readonly name: string
  readonly version: 6 | 7 | 8
  open(options?: CommonOptions, agentOptions?: object): Promise<Http2Client>
}

const load = { 6: () => import('undici6'), 7: () => import('undici7'), 8: () => import('undici8') }

async function statusOf(response: Promise<{ status: number; text(): Promise<string> }>): Promise<number> {
  const settled = await response
  await settled.text()
  return settled.status
}

/** `hopwise()`, and `createClient` around undici's fetch. */
function bindingsOf(version: 6 | 7 | 8): Http2Binding[] {
  const open = (make: (undici: UndiciModule, agent: Http2Agent, options: CommonOptions | undefined) => (url: string, request: TestRequest) => Promise<number>): Http2Binding['open'] =>
    async (options, agentOptions) => {
      const undici = (await load[version]()) as unknown as UndiciModule
      const agent = new undici.Agent({ allowH2: true, connect: { rejectUnauthorized: false }, ...agentOptions })
      const send = make(undici, agent, { random: () => 0, ...options })
      return { agent, send: (url, request = {}) => send(url, request).catch((error: unknown) => error as { name: string }), close: () => agent.destroy() }
    }
  const request = open((undici, agent, options) => {
    const dispatcher = agent.compose(hopwiseOf(options, {}))
    return (url, given) => statusOf(undici.request(url, { method: 'GET', ...given, dispatcher }).then(({ statusCode, body }) => ({ status: statusCode, text: () => body.text() })))
  })
  const fetch = open((undici, dispatcher, options) => {
    const client = createClientOf({ ...options, fetch: (url: unknown, init: unknown) => undici.fetch(String(url), { ...(init as object), dispatcher }) }, {})
    return (url, given) => statusOf(client(url, given as RequestInit))
  })
  const interceptor = { name: `undici ${version}`, version, open: request }
  // undici 6 tells its fetch of no sending, and gives the error of a session that GOAWAY has ended to the request that waits for the next one.
  return version === 6 ? [interceptor] : [interceptor, { name: `createClient on undici ${version}`, version, open: fetch }]
}

/** Every way that this Node has. */
export const http2Bindings: readonly Http2Binding[] = undiciVersions.flatMap(bindingsOf)

/** The fetch of the runtime, where it speaks HTTP/2: Node 26, whose undici is of version 8. */
export const builtInHttp2: readonly Http2Binding[] = Number(process.versions.node.split('.')[0]) < 26 ? [] : [{
  name: 'fetch of Node 26',
  version: 8,
  async open(options) {
    // It takes no certificate for one request.
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    const client = createClientOf({ random: () => 0, ...options }, {})
    return {
      send: (url, request = {}) => statusOf(client(url, request as RequestInit)).catch((error: unknown) => error as { name: string }),
      close: async () => void delete process.env['NODE_TLS_REJECT_UNAUTHORIZED'],
    }
  },
}]
