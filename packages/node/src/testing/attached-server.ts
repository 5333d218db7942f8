import { once } from 'node:events'
import { createServer, type RequestListener, type Server as HttpServer } from 'node:http'
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import { rawConnect, requestText, type RawConnection } from '@hopwise/testkit/adapter'
import type { PolicyOptions } from '@hopwise/core'
import { onTestFinished } from 'vitest'
import { attach, type Hop } from '../index.js'

/** A server with a policy attached, on a free port, ended with its test. */
export interface AttachedServer {
  readonly server: HttpServer | HttpsServer
  readonly hop: Hop
  readonly port: number
  connect(): Promise<RawConnection>
}

/** Starts it. */
export async function attachedServer(handler: RequestListener, policy: PolicyOptions, tls?: { key: string; cert: string }): Promise<AttachedServer> {
  const server = tls === undefined ? createServer(handler) : createTlsServer(tls, handler)
  const hop = attach(server, policy)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const opened: RawConnection[] = []
  // Many tests open many connections at once, and wait for each to be accepted.
  server.setMaxListeners(0)
  onTestFinished(() => {
    for (const connection of opened) connection.destroy()
    server.closeAllConnections()
    server.close()
  })
  return {
    server,
    hop,
    port,
    connect: async () => {
      const accepted = once(server, 'connection')
      const connection = await rawConnect(port)
      opened.push(connection)
      await accepted
      return connection
    },
  }
}

/** The bytes of a GET. */
export function get(target: string): Uint8Array {
  return requestText('GET', target, {})
}

/** A promise and its resolver. */
export function signal(): { readonly given: Promise<void>; give(): void } {
  let give: () => void = () => {}
  const given = new Promise<void>((resolve) => {
    give = resolve
  })
  return { given, give: () => give() }
}

/** Resolves once `hop` has entered `phase`. */
export function phase(hop: Hop, wanted: Hop['phase']): Promise<void> {
  return new Promise((resolve) => {
    if (hop.phase === wanted) return resolve()
    hop.on('phase', ({ phase: entered }) => {
      if (entered === wanted) resolve()
    })
  })
}

/** Lets time pass: only where its passing is what is tested (an age, an idle time, a clock that must not have run out). */
export function pass(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds))
}
