import { once } from 'node:events'
import type { AddressInfo, Server, Socket } from 'node:net'
import type { Tally } from './messages.js'

/** A listener of the fault server. */
export interface Site {
  readonly port: number
  /** Ends every connection; resolves with what came. */
  close(): Promise<Record<string, Tally>>
}

/** Starts a server on a free port; `close` cuts its connections. */
export async function openSite(server: Server, tallies: () => Record<string, Tally>): Promise<Site> {
  const sockets = new Set<Socket>()
  server.on('connection', (socket: Socket) => {
    sockets.add(socket)
    socket.on('error', () => {})
    socket.once('close', () => sockets.delete(socket))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      const closed = once(server, 'close')
      server.close()
      for (const socket of sockets) socket.destroy()
      await closed
      return tallies()
    },
  }
}
