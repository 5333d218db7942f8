import { constants, createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { Socket } from 'node:net'
import type { Certificate } from '../../self-signed.js'
import type { Fault } from '../faults.js'
import { Counter } from './counter.js'
import type { SiteOptions } from './messages.js'
import { openSite, type Site } from './site.js'

/** HTTP/2 over TLS, frames by Node: which stream ids a GOAWAY names, and when the connection ends, is decided here. */
export function openHttp2Site({ faults }: SiteOptions, tls: Certificate): Promise<Site> {
  const counter = new Counter(faults)
  const server = createSecureServer(tls)
  // A session gives no way to the socket that could be cut: the port leads to it.
  const sockets = new Map<number | undefined, Socket>()
  server.on('connection', (socket: Socket) => {
    const { remotePort } = socket
    sockets.set(remotePort, socket)
    socket.once('close', () => sockets.delete(remotePort))
  })
  server.on('session', (session) => session.on('error', () => {}))
  server.on('stream', (stream, fields) => {
    stream.on('error', () => {})
    stream.on('end', () => {
      const { fault, unset } = counter.arrived(fields[':path'] ?? '', (stream.id ?? 1) > 1)
      act(stream, fault, unset, sockets)
    })
    stream.resume()
  })
  return openSite(server, () => counter.tallies())
}

function act(stream: ServerHttp2Stream, fault: Fault, unset: boolean, sockets: ReadonlyMap<number | undefined, Socket>): void {
  const session = stream.session as ServerHttp2Session
  switch (fault) {
    case 'refused-stream':
      stream.close(constants.NGHTTP2_REFUSED_STREAM)
      return
    case 'goaway-above':
    case 'goaway-at': {
      const id = stream.id ?? 0
      const socket = sockets.get(session.socket.remotePort)
      session.goaway(constants.NGHTTP2_NO_ERROR, fault === 'goaway-at' ? id : id - 2)
      // The frame is written in the turn after this one; a PING behind it comes back when the client has it.
      session.ping(() => socket?.end())
      return
    }
    default:
      stream.respond({ ':status': 200, 'content-type': 'text/plain' })
      stream.end(unset ? 'unset' : 'ok')
  }
}
