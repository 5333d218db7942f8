import type { IdempotencyStore } from '@hopwise/core'
import { equal } from '../store/expect.js'
import type { BootedAdapter } from './contract.js'
import { rawConnect, rawRequest, requestText, type RawConnection } from './raw-client.js'
import type { RawResponse } from './response-reader.js'

/** What a request of a case has besides method and path. */
interface Sent {
  /** [alice] */
  readonly user?: string
  readonly key?: string
  readonly body?: string | Uint8Array
  readonly fields?: Readonly<Record<string, string | readonly string[]>>
}

/** What a case works with. */
export interface AdapterTools {
  readonly port: number
  readonly store: IdempotencyStore
  /** POST with the user `alice`, over a connection of its own. */
  post(path: string, sent?: Sent): Promise<RawResponse>
  get(path: string, fields?: Sent['fields']): Promise<RawResponse>
  /** The bytes of such a POST. */
  postText(path: string, sent?: Sent): Uint8Array
  connect(): Promise<RawConnection>
  /** How often the handler of a path ran. */
  executions(path: string): Promise<number>
  /** Lets the handlers that wait at a gate go on. */
  open(gate: string): Promise<void>
  /** Resolves once a handler waits at a gate. */
  reached(gate: string): Promise<void>
  /** Begins to drain the server, and resolves once it refuses connections; `over` then resolves when the drain is. */
  drain(): Promise<{ readonly over: Promise<unknown> }>
  /** Ends all connections that the case opened. */
  end(): void
}

/** Makes the tools for one case. */
export function adapterTools(server: BootedAdapter, store: IdempotencyStore): AdapterTools {
  const { port } = server
  const opened: RawConnection[] = []
  const get: AdapterTools['get'] = (path, fields = {}) => rawRequest(port, requestText('GET', path, fields))
  const postText: AdapterTools['postText'] = (path, { user = 'alice', key, body = '{"a":1}', fields = {} } = {}) =>
    requestText('POST', path, {
      ...(user !== '' && { 'x-user': user }),
      ...(key !== undefined && { 'idempotency-key': key }),
      'content-type': 'application/json',
      ...fields,
    }, body)
  const control = async (path: string) => {
    const response = await get(path)
    equal(response.status, 200, `GET ${path}`)
    return JSON.parse(response.body.toString()) as unknown
  }
  return {
    port,
    store,
    get,
    postText,
    post: (path, sent) => rawRequest(port, postText(path, sent)),
    connect: async () => {
      const connection = await rawConnect(port)
      opened.push(connection)
      return connection
    },
    executions: async (path) => ((await control(`/control/executions?path=${path}`)) as { executions: number }).executions,
    open: async (gate) => void (await control(`/control/open?gate=${gate}`)),
    reached: async (gate) => void (await control(`/control/reached?gate=${gate}`)),
    drain: async () => {
      if (server.drain === undefined) throw new Error('capabilities.drain is true, and boot() gave no drain()')
      const over = server.drain()
      for (;;) {
        const connection = await rawConnect(port).catch(() => undefined)
        if (connection === undefined) return { over }
        connection.destroy()
      }
    },
    end: () => {
      for (const connection of opened) connection.destroy()
    },
  }
}

/** The parts of a response that a replay has to repeat: status, fields but those that are of one message, and bytes. */
export function essence(response: RawResponse): unknown {
  const own = new Set(['date', 'connection', 'keep-alive', 'set-cookie', 'x-request-id', 'idempotent-replayed', 'x-original-request-id', 'transfer-encoding', 'content-length'])
  return {
    status: response.status,
    fields: response.fields.filter(([name]) => !own.has(name)).map(([name, value]) => `${name}: ${value}`).toSorted(),
    body: Uint8Array.from(response.body),
  }
}

/** The `type` of a problem document, after its form was checked. */
export function problemType(response: RawResponse): string {
  equal(response.field('content-type'), 'application/problem+json', 'content-type of a refusal')
  const document = JSON.parse(response.body.toString()) as { type: string; title: string; status: number; detail: string }
  equal(document.status, response.status, 'status in the problem document')
  equal([typeof document.title, typeof document.detail], ['string', 'string'], 'title and detail of the problem document')
  return document.type.replace('urn:hopwise:problem:', '')
}
