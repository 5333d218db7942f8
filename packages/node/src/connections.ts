import type { IncomingMessage, ServerResponse } from 'node:http'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Server as NetServer, Socket } from 'node:net'
import { listenAlong, type AnyServer } from './server.js'

/** What is known of one open connection. Times are milliseconds of performance.now(). */
export interface Connection {
  readonly socket: Socket
  readonly acceptedAt: number
  /** The age from which it ends with its next response; `Infinity` where nothing limits it. */
  readonly maxAge: number
  /** HTTP/1: requests that arrived and whose responses are not finished, oldest first. */
  readonly pending: ServerResponse[]
  /** HTTP/2: its session, and the streams that are open. */
  session: ServerHttp2Session | undefined
  readonly streams: Set<ServerHttp2Stream>
  /** Requests so far. */
  requests: number
  /** When it was accepted, or its last response was finished. */
  quietSince: number
  /** `socket.bytesRead` at that moment: more by now means that a request is arriving. */
  bytesThen: number
  /** Since when the newest request has been arriving: seen first in a header that is not complete, else with the request. */
  arrivingSince: number | undefined
  /** A request whose answer came before its body was complete: what arrives is the rest of it. */
  answeredEarly: IncomingMessage | undefined
  /** Left HTTP/1.1: a WebSocket, a CONNECT tunnel. */
  upgraded: boolean
}

/** What {@link trackConnections} tells. */
export interface ConnectionListener {
  /** A connection was accepted; `secure` where a TLS handshake is to come. */
  accepted(connection: Connection, secure: boolean): void
  /** A connection that can carry requests: over TLS, after the handshake. */
  opened(connection: Connection): void
  /** It speaks HTTP/2. */
  session(connection: Connection): void
  request(connection: Connection, request: IncomingMessage, response: ServerResponse): void
  stream(connection: Connection, stream: ServerHttp2Stream): void
  upgraded(connection: Connection, request: IncomingMessage): void
  closed(connection: Connection): void
  /** A response is over, or a connection is gone. */
  changed(): void
}

/** The open connections of a server, and the handlers that still run although their client is gone. */
export interface Connections {
  readonly open: ReadonlyMap<Socket, Connection>
  /** HTTP/1: responses whose handlers are not done, with or without a client. */
  readonly running: ReadonlySet<ServerResponse>
  /** Connections accepted so far. */
  readonly accepted: () => number
  /** When the last one was accepted; `-Infinity` where none was. */
  readonly lastAcceptedAt: () => number
  /** Follows a request that does not come as an event; one that is known is left alone. */
  readonly begin: (request: IncomingMessage, response: ServerResponse) => void
}

/** Follows the connections of a server from now on. Its listeners come before those that the application added. */
export function trackConnections(anyServer: AnyServer, maxAge: () => number, listener: ConnectionListener): Connections {
  const server: NetServer = anyServer
  const open = new Map<Socket, Connection>()
  const running = new Set<ServerResponse>()
  let accepted = 0
  let lastAcceptedAt = Number.NEGATIVE_INFINITY
  /** Node makes an HTTP/2 session in the same turn in which it tells of the connection, and does not say which one. */
  let newest: Connection | undefined

  const track = (socket: Socket, acceptedAt = performance.now()): Connection => {
    const known = open.get(socket)
    if (known !== undefined) return known
    const connection: Connection = {
      socket,
      acceptedAt,
      maxAge: maxAge(),
      pending: [],
      session: undefined,
      streams: new Set(),
      requests: 0,
      quietSince: performance.now(),
      bytesThen: socket.bytesRead,
      arrivingSince: undefined,
      answeredEarly: undefined,
      upgraded: false,
    }
    open.set(socket, connection)
    newest = connection
    socket.once('close', () => {
      if (!open.delete(socket)) return
      listener.closed(connection)
      listener.changed()
    })
    return connection
  }

  const begin = (request: IncomingMessage, response: ServerResponse): void => {
    if (request.httpVersionMajor !== 1 || running.has(response)) return
    const connection = track(request.socket)
    // The header of one that is pipelined behind another has come by now; when it began cannot be seen.
    if (connection.pending.length > 0 || connection.arrivingSince === undefined) connection.arrivingSince = performance.now()
    connection.answeredEarly = undefined
    connection.pending.push(response)
    connection.requests++
    running.add(response)
    response.once('close', () => {
      running.delete(response)
      connection.pending.splice(connection.pending.indexOf(response), 1)
      if (connection.pending.length === 0) {
        if (request.complete) quiet(connection)
        else connection.answeredEarly = request
      }
      listener.changed()
    })
    listener.request(connection, request, response)
  }

  const beginStream = (connection: Connection, stream: ServerHttp2Stream): void => {
    connection.requests++
    connection.streams.add(stream)
    stream.once('close', () => {
      connection.streams.delete(stream)
      quiet(connection)
      listener.changed()
    })
    listener.stream(connection, stream)
  }

  const secure = 'setSecureContext' in anyServer
  server.prependListener('connection', (socket: Socket) => {
    accepted++
    lastAcceptedAt = performance.now()
    const connection = track(socket)
    listener.accepted(connection, secure)
    if (!secure) listener.opened(connection)
  })
  // Over TLS, requests come on another socket object than the one that was accepted.
  server.prependListener('secureConnection', (socket: Socket & { readonly _parent?: Socket }) => {
    const raw = socket._parent === undefined ? undefined : open.get(socket._parent)
    if (raw !== undefined) open.delete(raw.socket)
    listener.opened(track(socket, raw?.acceptedAt))
  })
  server.prependListener('session', (session: ServerHttp2Session) => {
    if (newest === undefined) return
    const connection = newest
    connection.session = session
    listener.session(connection)
    session.on('stream', (stream: ServerHttp2Stream) => beginStream(connection, stream))
  })
  for (const event of ['request', 'checkContinue', 'checkExpectation'] as const) {
    if (event === 'request') server.prependListener(event, begin)
    else listenAlong(server, event, begin)
  }
  for (const event of ['upgrade', 'connect'] as const) {
    listenAlong(server, event, (request: IncomingMessage) => {
      const connection = track(request.socket)
      connection.upgraded = true
      listener.upgraded(connection, request)
    })
  }
  return { open, running, accepted: () => accepted, lastAcceptedAt: () => lastAcceptedAt, begin }
}

function quiet(connection: Connection): void {
  connection.quietSince = performance.now()
  connection.bytesThen = connection.socket.bytesRead
  connection.arrivingSince = undefined
}

/** What a connection of HTTP/1 is waiting for from its client: the rest of a header, the rest of a body, or nothing. */
export function arriving(connection: Connection): 'header' | 'body' | undefined {
  const { pending, session, upgraded, socket, answeredEarly } = connection
  if (session !== undefined || upgraded) return undefined
  if (answeredEarly !== undefined) {
    if (!answeredEarly.complete) return 'body'
    connection.answeredEarly = undefined
    quiet(connection)
  }
  const [oldest] = pending
  // Behind a request that is being answered nobody is in a hurry.
  if (oldest !== undefined) return oldest.req.complete || pending.length > 1 ? undefined : 'body'
  return socket.bytesRead === connection.bytesThen ? undefined : 'header'
}

/** Whether it speaks HTTP/1 and nothing is going on: no request is being answered and none has begun to arrive. */
export function isIdle(connection: Connection): boolean {
  const { pending, upgraded, session } = connection
  return pending.length === 0 && !upgraded && session === undefined && arriving(connection) === undefined
}
