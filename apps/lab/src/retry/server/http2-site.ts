import { constants, createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Certificate } from '../../self-signed.js'
import type { Fault } from '../faults.js'
import { Counter } from './counter.js'
import { endIdle, endUnder, goaways, type GoawayFault } from './goaway.js'
import type { SiteOptions } from './messages.js'
import { openSite, type Site } from './site.js'

/** A site whose sessions can be ended. */
export interface Http2Site extends Site {
  /** Ends every session by GOAWAY; resolves when their clients have closed them. No stream of theirs is to be open. */
  endIdle(): Promise<void>
}

/** HTTP/2 over TLS, frames by Node: which stream ids a GOAWAY names, and when the connection ends, is decided here. */
export async function openHttp2Site({ faults }: SiteOptions, tls: Certificate): Promise<Http2Site> {
  const counter = new Counter(faults)
  const server = createSecureServer(tls)
  const sessions = new Set<ServerHttp2Session>()
  // A session gives no way to the socket that could be cut: the port leads to it.
  const sockets = new Map<number | undefined, Socket>()
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket
    sockets.set(remotePort, socket)
    socket.once('close', () => sockets.delete(remotePort))
  })
  server.on('session', (session) => {
    session.on('error', () => {})
    sessions.add(session)
    session.once('close', () => sessions.delete(session))
  })
  const socketOf = (session: ServerHttp2Session): Socket | undefined => sockets.get(session.socket.remotePort)
  server.on('stream', (stream, fields) => {
    stream.on('error', () => {})
    stream.on('end', () => {
      const { fault, unset } = counter.arrived(fields[':path'] ?? '', (stream.id ?? 1) > 1)
      act(stream, fault, unset, socketOf(stream.session as ServerHttp2Session))
    })
    stream.resume()
  })
  return {
    ...(await openSite(server, () => counter.tallies())),
    async endIdle() {
      await Promise.all([...sessions].map((session) => endIdle(session, socketOf(session))))
    },
  }
}

function act(stream: ServerHttp2Stream, fault: Fault, unset: boolean, socket: Socket | undefined): void {
  if (fault === 'refused-stream') return stream.close(constants.NGHTTP2_REFUSED_STREAM)
  const answer = (): void => {
    stream.respond({ ':status': 200, 'content-type': 'text/plain' })
    stream.end(unset ? 'unset' : 'ok')
  }
  if (isGoaway(fault)) void endUnder(stream, fault, socket, answer)
  else answer()
}

function isGoaway(fault: Fault): fault is GoawayFault {
  return fault in goaways
}
