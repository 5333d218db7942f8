import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Snapshot } from '../snapshot.js'
import { createEventStreams, type EventStreams, type PageEvent } from './event-streams.js'
import { createHistory } from './history.js'
import { readPageFiles, type PageFile } from './page-files.js'

/** What the page shows, and where. */
export interface PageOptions {
  /** The state at this moment; called once at the start and then every {@link intervalMs}. */
  readonly snapshot: () => Snapshot
  /** The port on 127.0.0.1; 0 takes a free one. */
  readonly port: number
  /** Milliseconds between two snapshots. [500] */
  readonly intervalMs?: number
}

/** The page while it is served. */
export interface ServedPage {
  /** E.g. `http://127.0.0.1:8080`, without a slash at the end. */
  readonly url: string
  /** Ends the event streams and resolves once the server is closed; the same promise for every call. */
  close(): Promise<void>
}

const maxStreams = 32
/** What close() gives a client that does not read before its connection is cut. */
const closeGraceMs = 500
/** Another host's name that resolves to 127.0.0.1 must not read the page (DNS rebinding). */
const localHost = /^(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?$/i

const commonHeaders = {
  'content-security-policy': "default-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'x-content-type-options': 'nosniff',
  'cache-control': 'no-store',
  'referrer-policy': 'no-referrer',
}

/**
 * Serves the demo's page on 127.0.0.1, with its figures live by server-sent events.
 * @throws Error in one sentence where the port is in use
 */
export async function servePage({ snapshot, port, intervalMs = 500 }: PageOptions): Promise<ServedPage> {
  const files = await readPageFiles()
  const streams = createEventStreams(maxStreams)
  const history = createHistory()
  let latest = snapshot()
  history.add(latest)
  const server = createServer((request, response) => {
    answer(request, response, files, streams, () => [
      { name: 'history', data: history.points() },
      { name: 'snapshot', data: latest },
    ])
  })
  await listen(server, port)
  const timer = setInterval(() => {
    latest = snapshot()
    history.add(latest)
    streams.send({ name: 'snapshot', data: latest })
  }, intervalMs)
  let closed: Promise<void> | undefined
  return {
    // A server that listens on TCP has an AddressInfo.
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    close() {
      clearInterval(timer)
      closed ??= closeServer(server, streams)
      return closed
    },
  }
}

function answer(
  request: IncomingMessage,
  response: ServerResponse,
  files: ReadonlyMap<string, PageFile>,
  streams: EventStreams,
  firstEvents: () => readonly PageEvent[],
): void {
  for (const [name, value] of Object.entries(commonHeaders)) response.setHeader(name, value)
  if (!localHost.test(request.headers.host ?? '')) return refuse(response, 421, 'this page is only for 127.0.0.1 and localhost')
  const path = request.url?.split('?')[0] ?? ''
  const file = files.get(path)
  if (file === undefined && path !== '/events') return refuse(response, 404, 'not found')
  if (request.method !== 'GET') {
    response.setHeader('allow', 'GET')
    return refuse(response, 405, 'only GET')
  }
  if (file !== undefined) {
    response.writeHead(200, { 'content-type': file.type, 'content-length': file.body.byteLength }).end(file.body)
    return
  }
  if (streams.full) return refuse(response, 503, `${maxStreams} event streams are open, which is the most`)
  streams.open(response, firstEvents())
}

function refuse(response: ServerResponse, status: number, reason: string): void {
  response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' }).end(`${reason}\n`)
}

function listen(server: Server, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => {
      reject(error.code === 'EADDRINUSE' ? new Error(`port ${port} is in use; choose another with --port`, { cause: error }) : error)
    })
    server.listen(port, '127.0.0.1', resolve)
  })
}

function closeServer(server: Server, streams: EventStreams): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), closeGraceMs)
    server.close(() => {
      clearTimeout(cut)
      resolve()
    })
    // After close(), which takes a response that is ended but not yet sent for idle, and would cut it.
    streams.end()
  })
}
