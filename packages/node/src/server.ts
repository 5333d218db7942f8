import type { Server as HttpServer } from 'node:http'
import type { Http2SecureServer, Http2Server } from 'node:http2'
import type { Server as HttpsServer } from 'node:https'
import type { Server as NetServer } from 'node:net'

/** A server that a policy can be attached to: of `node:http`, `node:https` or `node:http2`. */
export type AnyServer = HttpServer | HttpsServer | Http2Server | Http2SecureServer

/**
 * Listens before the application does, but only while the application listens itself: for events whose mere listener
 * changes what Node does (an `upgrade` nobody listens for is an ordinary request; a `checkContinue` is answered).
 */
export function listenAlong(server: NetServer, event: string, listener: (...args: never[]) => void): void {
  const along = listener as (...args: unknown[]) => void
  const add = (): void => {
    if (!server.listeners(event).includes(along)) server.prependListener(event, along)
  }
  if (server.listenerCount(event) > 0) add()
  server.on('newListener', (added: string, by: unknown) => {
    if (added === event && by !== along) add()
  })
  server.on('removeListener', (removed: string, by: unknown) => {
    if (removed === event && by !== along && server.listenerCount(event) === 1) server.off(event, along)
  })
}
