import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import type { Socket } from 'node:net'

/** What is known of one open connection. */
export interface Connection {
  readonly socket: Socket
  /** Requests that arrived and whose responses are not finished, oldest first. */
  readonly pending: ServerResponse[]
  /** When it was accepted, or its last response was finished. Milliseconds of performance.now(). */
  quietSince: number
  /** `socket.bytesRead` at that moment: more by now means that a request is arriving. */
  bytesThen: number
  /** Left HTTP/1.1: a WebSocket, a CONNECT tunnel. */
  upgraded: boolean
}

/** What {@link trackConnections} tells. */
export interface ConnectionListener {
  request(connection: Connection, request: IncomingMessage, response: ServerResponse): void
  connectionClosed(connection: Connection): void
  /** A response is over, or a connection is gone. */
  changed(): void
}

/** The open connections of a server, and the handlers that still run although their client is gone. */
export interface Connections {
  readonly open: ReadonlyMap<Socket, Connection>
  /** Responses whose handlers are not done, with or without a client. */
  readonly running: ReadonlySet<ServerResponse>
  /** Connections accepted so far. */
  readonly accepted: () => number
  /** When the last one was accepted; `-Infinity` where none was. */
  readonly lastAcceptedAt: () => number
}

/** Follows the connections of a server from now on. Its listeners come before those that the application added. */
export function trackConnections(server: HttpServer | HttpsServer, listener: ConnectionListener): Connections {
  const open = new Map<Socket, Connection>()
  const running = new Set<ServerResponse>()
  let accepted = 0
  let lastAcceptedAt = Number.NEGATIVE_INFINITY

  const track = (socket: Socket): Connection => {
    const known = open.get(socket)
    if (known !== undefined) return known
    const connection: Connection = { socket, pending: [], quietSince: performance.now(), bytesThen: socket.bytesRead, upgraded: false }
    open.set(socket, connection)
    socket.once('close', () => {
      open.delete(socket)
      listener.connectionClosed(connection)
      listener.changed()
    })
    return connection
  }

  server.prependListener('connection', (socket: Socket) => {
    accepted++
    lastAcceptedAt = performance.now()
    track(socket)
  })
  // Over TLS, requests come on another socket object than the one that was accepted.
  server.prependListener('secureConnection', (socket: Socket & { readonly _parent?: Socket }) => {
    if (socket._parent !== undefined) open.delete(socket._parent)
    track(socket)
  })
  server.prependListener('request', (request: IncomingMessage, response: ServerResponse) => {
    const connection = track(request.socket)
    connection.pending.push(response)
    running.add(response)
    response.once('close', () => {
      running.delete(response)
      connection.pending.splice(connection.pending.indexOf(response), 1)
      connection.quietSince = performance.now()
      connection.bytesThen = connection.socket.bytesRead
      listener.changed()
    })
    listener.request(connection, request, response)
  })
  for (const event of ['upgrade', 'connect'] as const) {
    server.prependListener(event, (request: IncomingMessage) => {
      track(request.socket).upgraded = true
    })
  }
  return { open, running, accepted: () => accepted, lastAcceptedAt: () => lastAcceptedAt }
}

/** Whether nothing is going on: no request is being answered and none has begun to arrive. */
export function isIdle(connection: Connection): boolean {
  return connection.pending.length === 0 && !connection.upgraded && connection.socket.bytesRead === connection.bytesThen
}
