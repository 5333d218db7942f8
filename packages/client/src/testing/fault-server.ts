import { EventEmitter, once } from 'node:events'
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { createArrivals } from './arrivals.js'

/** A request as the server saw it, whole. */
export interface SeenRequest {
  readonly method: string
  readonly target: string
  readonly fields: Readonly<Record<string, string | string[] | undefined>>
  readonly body: Buffer
  /** Which connection it came on, from 1. */
  readonly connection: number
  /** Which request of its connection it is, from 1. */
  readonly nth: number
  /** How many requests for this target came before it. */
  readonly before: number
}

/** An answer in full. */
export interface Answer {
  readonly status: number
  readonly fields?: Readonly<Record<string, string | string[]>>
  readonly body?: string
}

/**
 * What the server does once it has read a request: an answer; `'fin'` and `'rst'` close or reset the connection; `'half-header'` and
 * `'half-body'` close it in the middle of a response; `'endless-503'` begins one that does not
 * end; `'nothing'` leaves it open for ever.
 */
export type Fault = Answer | 'fin' | 'rst' | 'half-header' | 'half-body' | 'endless-503' | 'nothing'

/** A server that does to each request what it is told to. */
export interface FaultServer {
  readonly origin: string
  readonly port: number
  /** Every request that was read to its end, in order. */
  readonly seen: readonly SeenRequest[]
  /** How many requests came for a target. */
  count(target: string): number
  /** Resolves when a request for this target has come, the `nth` one. */
  arrived(target: string, nth?: number): Promise<SeenRequest>
  /** How many connections are open. */
  readonly open: () => number
  /** Emits `closed` whenever one is closed. */
  readonly closings: EventEmitter
  close(): Promise<void>
}

/** An answer of 200. */
export const ok: Answer = { status: 200, body: 'ok' }

/** Starts a server on a free port. It closes no connection by itself. */
export async function startFaultServer(decide: (request: SeenRequest) => Fault | Promise<Fault>, tls?: { readonly key: string; readonly cert: string }): Promise<FaultServer> {
  const seen: SeenRequest[] = []
  const connections = new Map<Socket, { readonly id: number; requests: number }>()
  const arrivals = createArrivals()
  /** Those below TLS, of which some may never come as far as `connections`. */
  const sockets = new Set<Socket>()
  const closings = new EventEmitter()
  let ids = 0
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('error', () => {})
    request.on('end', () => {
      const connection = connections.get(request.socket)
      if (connection === undefined) return
      connection.requests += 1
      const target = request.url ?? ''
      const one: SeenRequest = {
        method: request.method ?? '', target, fields: request.headers, body: Buffer.concat(chunks),
        connection: connection.id, nth: connection.requests, before: seen.filter((other) => other.target === target).length,
      }
      seen.push(one)
      const fault = decide(one)
      if (fault instanceof Promise) void fault.then((later) => act(later, request.socket, response))
      else act(fault, request.socket, response)
      arrivals.told()
    })
  }
  const server: Server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle)
  Object.assign(server, { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 })
  server.on(tls === undefined ? 'connection' : 'secureConnection', (socket: Socket) => {
    connections.set(socket, { id: (ids += 1), requests: 0 })
    socket.on('error', () => {})
    socket.once('close', () => {
      connections.delete(socket)
      closings.emit('closed')
    })
  })
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const closed = once(server, 'close')
  const { port } = server.address() as AddressInfo
  const count = (target: string): number => seen.filter((request) => request.target === target).length
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${port}`,
    port,
    seen,
    count,
    open: () => connections.size,
    closings,
    arrived: (target, nth = 1) => arrivals.until(() => seen.filter((request) => request.target === target)[nth - 1]),
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
    },
  }
}

function act(fault: Fault, socket: Socket, response: ServerResponse): void {
  switch (fault) {
    case 'fin':
      socket.end()
      return
    case 'rst':
      reset(socket)
      return
    case 'half-header':
      socket.end('HTTP/1.1 200 OK\r\ncontent-le')
      return
    case 'half-body':
      socket.end('HTTP/1.1 200 OK\r\ncontent-length: 10\r\n\r\nabc')
      return
    case 'endless-503':
      response.writeHead(503)
      response.write('no')
      return
    case 'nothing':
      return
    default:
      // With its length, the last byte of the body is the last one of the response: the connection is free when a caller has read it.
      response.writeHead(fault.status, { 'content-length': String(Buffer.byteLength(fault.body ?? '')), ...fault.fields })
      response.end(fault.body)
  }
}

/** Over TLS the connection beneath is the one to reset. */
function reset(socket: Socket): void {
  const beneath = (socket as Socket & { _parent?: Socket })._parent
  ;(beneath ?? socket).resetAndDestroy()
}
