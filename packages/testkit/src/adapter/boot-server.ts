import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BootedAdapter } from './contract.js'

/** Listens on a free port of 127.0.0.1; `close` ends the server and every connection of it. `drain` is how it stops in a deploy. */
export async function bootServer(server: Server, drain?: () => Promise<unknown>): Promise<BootedAdapter> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const closed = once(server, 'close')
  return {
    port: (server.address() as AddressInfo).port,
    ...(drain !== undefined && { drain }),
    close: async () => {
      server.close()
      server.closeAllConnections()
      await closed
    },
  }
}
