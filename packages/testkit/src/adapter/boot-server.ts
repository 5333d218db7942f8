import { once } from 'node:events'
import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { BootedAdapter } from './contract.js'

/** Listens on a free port of 127.0.0.1; `close` ends the server and every connection of it. */
export async function bootServer(server: Server): Promise<BootedAdapter> {
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}
