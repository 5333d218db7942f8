import { setImmediate as turn } from 'node:timers/promises'
import { createClientOf } from '../client.js'
import type { CommonOptions } from '../options.js'
import type { VerdictRules } from '../retry-rules.js'
import type { FaultServer } from './fault-server.js'
import { hopwiseOf } from '../undici/interceptor.js'

/** A request as the tests write it. */
export interface TestRequest {
  readonly method?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array | Blob
  readonly signal?: AbortSignal
}

/** What came of it. */
export interface TestResponse {
  readonly status: number
  readonly body: string
}

/** The header came, and the body broke off. */
export class BrokenBody extends Error {}

async function textOf(body: { text(): Promise<string> }): Promise<string> {
  try {
    return await body.text()
  } catch (cause) {
    throw new BrokenBody('the body broke off', { cause })
  }
}

/** One way to use the client. */
export interface Binding {
  readonly name: string
  /** Makes a client; `close` ends its connections where it has some of its own. */
  open(options?: CommonOptions, rules?: VerdictRules): Promise<{ send(url: string, request?: TestRequest): Promise<TestResponse>; close(): Promise<void> }>
}

/** createClient around the fetch of the runtime. Its connections are those of the process. */
export const builtIn: Binding = {
  name: `fetch of Node ${process.versions.node.split('.')[0]}`,
  async open(options, rules) {
    const client = createClientOf(options, rules === undefined ? {} : { rules })
    return {
      async send(url, request = {}) {
        const response = await client(url, request as RequestInit)
        return { status: response.status, body: await textOf(response) }
      },
      close: async () => {},
    }
  },
}

interface UndiciModule {
  readonly Agent: new (options?: object) => { compose(interceptor: unknown): unknown; destroy(): Promise<void> }
  request(url: string, options: object): Promise<{ statusCode: number; body: { text(): Promise<string> } }>
}

const load = { 6: () => import('undici6'), 7: () => import('undici7'), 8: () => import('undici8') }

/** hopwise() on an agent of one version of undici. */
export function undiciBinding(version: 6 | 7 | 8, agentOptions: object = {}): Binding {
  return {
    name: `undici ${version}`,
    async open(options, rules) {
      const undici = (await load[version]()) as unknown as UndiciModule
      const agent = new undici.Agent(agentOptions)
      const dispatcher = agent.compose(hopwiseOf(options, rules === undefined ? {} : { rules }))
      return {
        async send(url, request = {}) {
          const { statusCode, body } = await undici.request(url, { method: 'GET', ...request, dispatcher })
          return { status: statusCode, body: await textOf(body) }
        },
        close: () => agent.destroy(),
      }
    },
  }
}

/** The versions of undici that this Node can load: undici 8 needs Node 22.19. */
export const undiciVersions: readonly (6 | 7 | 8)[] = Number(process.versions.node.split('.')[0]) >= 22 ? [6, 7, 8] : [6, 7]

/** Every binding that this Node has. */
export const bindings: readonly Binding[] = [builtIn, ...undiciVersions.map((version) => undiciBinding(version))]

/** Far more than the pools of these tests have connections: a client that never reuses one must not keep a test for ever. */
const mostWarmUps = 1_000

/**
 * Sends requests until every connection to the server has carried one, so that the next request is on a reused one. One request is not
 * enough: undici takes a connection for busy until the turn of the event loop after a response. And undici 7 gives up the whole pool of
 * an origin when its last connection dies; with no turn between two requests, that closes the pool that has followed it as well.
 */
export async function warmUp(send: (url: string) => Promise<unknown>, server: FaultServer): Promise<void> {
  for (let tries = 0; tries < mostWarmUps; tries += 1) {
    await send(`${server.origin}/warm`)
    await turn()
    if (server.seen.at(-1)?.nth !== 1) return
  }
  throw new Error(`of ${mostWarmUps} requests none went out on a connection that had been used`)
}
