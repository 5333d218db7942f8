import { fastify } from 'fastify'
import { healthPath } from './app.js'
import { peersKeepAliveMs, type Serving } from './serving.js'

/** Fastify, stopped by `close()`. */
export async function serveFastify({ app, port, tls, deadlineMs }: Serving): Promise<void> {
  const server = fastify({ keepAliveTimeout: peersKeepAliveMs, ...(tls !== undefined && { https: tls }) })
  server.get(healthPath, (_request, reply) => reply.code(app.ready() ? 200 : 503).send())
  server.route({
    method: ['GET', 'POST'],
    url: '/work',
    handler: async (_request, reply) => reply.type('application/json').send(await app.work()),
  })
  process.once('SIGTERM', () => {
    void server.close().then(() => process.exit(0))
    setTimeout(() => process.exit(0), deadlineMs)
  })
  await server.listen({ port, host: '127.0.0.1' })
}
