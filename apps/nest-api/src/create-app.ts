import { HopwiseLogger } from '@hopwise/nest'
import { ValidationPipe, VersioningType, type NestApplicationOptions } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import { FastifyAdapter, type NestFastifyApplication } from '@nestjs/platform-fastify'
import { DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { Logger as PinoLogger } from 'nestjs-pino'
import { AppModule } from './app.module.js'
import type { Arguments } from './arguments.js'

/** Makes the application, ready to listen. */
export async function createApp({ platform, logger }: Pick<Arguments, 'platform' | 'logger'>): Promise<NestExpressApplication | NestFastifyApplication> {
  const root = AppModule.with(logger)
  // rawBody: a key's fingerprint is over the bytes of its request.
  const options: NestApplicationOptions = { rawBody: true, bufferLogs: true }
  const app = platform === 'fastify'
    ? await NestFactory.create<NestFastifyApplication>(root, new FastifyAdapter(), options)
    : await NestFactory.create<NestExpressApplication>(root, options)

  app.useLogger(logger === 'pino' ? app.get(PinoLogger) : new HopwiseLogger({ json: true }))
  app.enableVersioning({ type: VersioningType.URI, defaultVersion: '1' })
  app.useGlobalPipes(new ValidationPipe({ transform: true, whitelist: true, forbidNonWhitelisted: true }))
  // The process ends with 0 when its drain is over.
  app.enableShutdownHooks(['SIGTERM', 'SIGINT'], { useProcessExit: true })

  const description = new DocumentBuilder().setTitle('Orders').setVersion('1').addBearerAuth().build()
  SwaggerModule.setup('docs', app, () => SwaggerModule.createDocument(app, description), { ui: false, raw: ['json'] })
  return app
}
