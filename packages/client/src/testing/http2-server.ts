import { once } from 'node:events'
import { constants, createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { generate } from 'selfsigned'
import { createArrivals } from './arrivals.js'

/** A stream as the server saw it, its body read to the end. */
export interface SeenStream {
  readonly method: string
  readonly path: string
  readonly fields: Readonly<Record<string, string | string[] | undefined>>
  /** Which session it came on, from 1. */
  readonly session: number
  /** How many streams for this path came before it. */
  readonly before: number
}

/**
 * `'refuse'`: RST_STREAM with REFUSED_STREAM. `'goaway-below'`: GOAWAY whose last id is below this stream, which must not be the first one of its session.
 * `'goaway-above'`: GOAWAY whose last id covers it, and then the stream is reset. `'goaway-graceful'`: GOAWAY with the highest id there is,
 * a round trip later the one whose last id covers it, and then the answer. `'cut'`: the connection is cut. `'hold'`: nothing.
 */
export type StreamFault = 'ok' | 'refuse' | 'goaway-below' | 'goaway-above' | 'goaway-graceful' | GoawayCode | 'cut' | 'hold' | 503

/** The first two, with another code than NO_ERROR. */
export interface GoawayCode {
  readonly goaway: 'below' | 'above'
  readonly code: number
}

/** An HTTP/2 server that does to each stream what it is told to. */
export interface Http2FaultServer {
  readonly origin: string
  readonly seen: readonly SeenStream[]
  count(path: string): number
  /** Does it to a stream that was held. */
  release(path: string, fault: StreamFault): void
  arrived(path: string): Promise<unknown>
  /** Sends GOAWAY on a session, which covers all that has come on it. */
  goaway(session: number, code: number): void
  /** Resolves when the client has closed a session. After a GOAWAY, Node tells nothing of that. */
  closed(session: number): Promise<unknown>
  close(): Promise<void>
}

/** A key and a certificate for 127.0.0.1, which nobody trusts. */
export async function selfSigned(): Promise<{ key: string; cert: string }> {
  const { private: key, cert } = await generate([{ name: 'commonName', value: '127.0.0.1' }], {
    keySize: 2048,
    algorithm: 'sha256',
    extensions: [{ name: 'subjectAltName', altNames: [{ type: 7, ip: '127.0.0.1' }] }],
  })
  return { key, cert }
}

/** For pages of other origins. */
const cors = { 'access-control-allow-origin': '*', 'access-control-allow-headers': '*' }

/** Starts a server on a free port. It answers preflights by itself; they are not among what it has seen. */
export async function startHttp2Server(decide: (stream: SeenStream) => StreamFault): Promise<Http2FaultServer> {
  const server = createSecureServer(await selfSigned())
  const sessions = new Map<ServerHttp2Session, number>()
  const seen: SeenStream[] = []
  const held = new Map<string, ServerHttp2Stream>()
  const arrivals = createArrivals()
  // A session gives no way to the socket that could be cut: the port leads to it.
  const sockets = new Map<number | undefined, Socket>()
  let ids = 0
  server.on('connection', (socket: Socket) => sockets.set(socket.remotePort, socket))
  server.on('session', (session) => {
    sessions.set(session, (ids += 1))
    session.on('error', () => {})
    session.once('close', () => {
      sessions.delete(session)
      arrivals.told()
    })
  })
  server.on('stream', (stream, fields) => {
    stream.on('error', () => {})
    const act = (): void => {
      if (fields[':method'] === 'OPTIONS') return stream.respond({ ':status': 204, ...cors }, { endStream: true })
      const path = fields[':path'] ?? ''
      const one: SeenStream = { method: fields[':method'] ?? '', path, fields, session: sessions.get(stream.session as ServerHttp2Session) ?? 0, before: seen.filter((other) => other.path === path).length }
      seen.push(one)
      const fault = decide(one)
      if (fault === 'hold') held.set(path, stream)
      else apply(fault, stream, sockets)
      arrivals.told()
    }
    stream.on('end', act)
    stream.resume()
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const closed = once(server, 'close')
  const count = (path: string): number => seen.filter((one) => one.path === path).length
  return {
    origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`,
    seen,
    count,
    release(path, fault) {
      const stream = held.get(path)
      if (stream === undefined) throw new Error(`${path} is not held`)
      apply(fault, stream, sockets)
    },
    arrived: (path) => arrivals.until(() => (count(path) === 0 ? undefined : true)),
    goaway(session, code) {
      for (const [one, id] of sessions) if (id === session) one.goaway(code)
    },
    closed: (session) => arrivals.until(() => (ids >= session && ![...sessions.values()].includes(session) ? true : undefined)),
    async close() {
      server.close()
      for (const session of sessions.keys()) session.destroy()
      for (const socket of sockets.values()) socket.destroy()
      await closed
    },
  }
}

/** The highest id of a stream (RFC 9113 6.8). */
const highest = 2 ** 31 - 1

function apply(fault: StreamFault, stream: ServerHttp2Stream, sockets: ReadonlyMap<number | undefined, Socket>): void {
  const session = stream.session as ServerHttp2Session
  const answer = (status: number, body: string): void => {
    if (stream.destroyed) return
    stream.respond({ ':status': status, ...cors })
    stream.end(body)
  }
  if (typeof fault === 'object') return goaway(fault.goaway, fault.code, stream, session)
  switch (fault) {
    case 'ok':
    case 503:
      return answer(fault === 'ok' ? 200 : 503, fault === 'ok' ? 'ok' : 'no')
    case 'refuse':
      stream.close(constants.NGHTTP2_REFUSED_STREAM)
      return
    case 'goaway-below':
      return goaway('below', constants.NGHTTP2_NO_ERROR, stream, session)
    case 'goaway-above':
      return goaway('above', constants.NGHTTP2_NO_ERROR, stream, session)
    case 'goaway-graceful': {
      session.goaway(constants.NGHTTP2_NO_ERROR, highest)
      const rest = (): void => {
        if (session.destroyed) return
        session.goaway(constants.NGHTTP2_NO_ERROR, stream.id ?? 0)
        answer(200, 'ok')
      }
      session.ping(rest)
      return
    }
    case 'cut':
      sockets.get(session.socket.remotePort)?.destroy()
      return
    case 'hold':
  }
}

function goaway(last: 'below' | 'above', code: number, stream: ServerHttp2Stream, session: ServerHttp2Session): void {
  session.goaway(code, (stream.id ?? 0) - (last === 'below' ? 2 : 0))
  if (last === 'above') stream.close(constants.NGHTTP2_INTERNAL_ERROR)
}
