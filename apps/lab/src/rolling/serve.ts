import { createServer, type Server as HttpServer } from 'node:http'
import { createServer as createTlsServer, type Server as HttpsServer } from 'node:https'
import { stopWithHopwise } from '../servers/hopwise.js'
import { stoppers } from '../servers/stoppers.js'
import { listenerOf } from './app.js'
import { serveFastify } from './serve-fastify.js'
import { serveNest } from './serve-nest.js'
import { peersKeepAliveMs, type Serving } from './serving.js'

/** Starts the server that is asked for, with its own way to stop at SIGTERM. Resolves when it listens; gives Hopwise's readiness. */
export async function serve(serving: Serving): Promise<{ readonly ready: boolean } | undefined> {
  if (serving.server === 'fastify') return void (await serveFastify(serving))
  if (serving.server === 'nest') return void (await serveNest(serving))
  const server: HttpServer | HttpsServer = serving.tls === undefined ? createServer(listenerOf(serving.app)) : createTlsServer(serving.tls, listenerOf(serving.app))
  const hop = serving.server === 'hopwise' ? stopWithHopwise(server, serving.policy, ({ closed }) => serving.drained(closed.forced)) : undefined
  if (hop === undefined) {
    server.keepAliveTimeout = peersKeepAliveMs
    await stoppers[serving.server]?.(server, { deadlineMs: serving.deadlineMs, end: () => process.exit(0) })
  }
  await new Promise<void>((resolve) => server.listen(serving.port, '127.0.0.1', resolve))
  return hop
}
