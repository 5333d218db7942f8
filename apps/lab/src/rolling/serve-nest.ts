import type { NestExpressApplication } from '@nestjs/platform-express'
import { listenerOf } from './app.js'
import { peersKeepAliveMs, type Serving } from './serving.js'

/** NestJS on Express with `forceCloseConnections` and its shutdown hooks, which end the process by the signal. */
export async function serveNest({ app, port, tls, deadlineMs }: Serving): Promise<void> {
  await import('reflect-metadata')
  const [{ Module }, { NestFactory }] = await Promise.all([import('@nestjs/common'), import('@nestjs/core')])
  class LabModule {}
  Module({})(LabModule)
  const nest = await NestFactory.create<NestExpressApplication>(LabModule, { logger: false, forceCloseConnections: true, ...(tls !== undefined && { httpsOptions: tls }) })
  nest.use(listenerOf(app))
  nest.enableShutdownHooks(['SIGTERM'])
  const server = nest.getHttpServer() as { keepAliveTimeout: number }
  server.keepAliveTimeout = peersKeepAliveMs
  process.once('SIGTERM', () => void setTimeout(() => process.exit(0), deadlineMs))
  await nest.listen(port, '127.0.0.1')
}
