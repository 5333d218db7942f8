import type { ServerHttp2Session } from 'node:http2'
import type { Server as NetServer, Socket } from 'node:net'
import { afterOnePoll, endAndLinger, retireSession } from './closing.js'
import { isIdle, type Connection, type Connections } from './connections.js'
import type { AnyServer } from './server.js'

/**
 * Takes the closing of idle connections over from Node, whose timer destroys the socket even if a request has reached
 * the kernel: after an event loop that was blocked beyond the deadline, 50 of 50 were reset (nodejs/node#20256; Node 20
 * to 26). Here a connection goes only if one more poll phase brings nothing.
 */
export function guardIdle(server: AnyServer, idleMs: number, connections: () => Connections) {
  const events: NetServer = server
  events.on('timeout', (timedOut: Socket | ServerHttp2Session) => {
    const connection = connections().open.get(timedOut as Socket)
    if (connection !== undefined && isIdle(connection)) endIfIdle(connection)
    else if (connection === undefined || connection.pending.length > 0) asNodeDoes(events, timedOut, connection)
    // Else a request is arriving: the slow-request clock has it.
  })
  return {
    // A connection that never spoke lives as long as an idle one; Node's timer begins with the first response.
    opened: (connection: Connection): void => {
      connection.socket.setTimeout(idleMs)
      // Once Node has told of it, an HTTP/2 connection has a session.
      process.nextTick(() => {
        const { session, socket } = connection
        if (session === undefined || session.destroyed) return
        socket.setTimeout(0)
        session.setTimeout(idleMs, () => {
          if (connection.streams.size === 0) afterOnePoll(() => (connection.streams.size === 0 ? retireSession(connection) : undefined))
        })
      })
    },
    request: (connection: Connection): void => {
      if (connection.requests === 1) connection.socket.setTimeout('timeout' in server ? server.timeout : 0)
    },
  }
}

function endIfIdle(connection: Connection): void {
  afterOnePoll(() => {
    if (isIdle(connection) && !connection.socket.destroyed) endAndLinger(connection.socket)
  })
}

/** A timeout that the application has set: our listener must not keep Node from destroying what nobody else handles. */
function asNodeDoes(events: NetServer, timedOut: Socket | ServerHttp2Session, connection: Connection | undefined): void {
  const handled = connection?.pending.some((response) => response.listenerCount('timeout') > 0 || (!response.req.complete && response.req.listenerCount('timeout') > 0))
  if (!handled && events.listenerCount('timeout') === 1) timedOut.destroy()
}
