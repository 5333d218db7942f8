import type { Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { INestApplication, NestApplicationOptions, Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { onTestFinished } from 'vitest'

export type Platform = 'express' | 'fastify'

export const platforms: readonly Platform[] = ['express', 'fastify']

/** An application that is not started yet; errors come to the caller instead of ending the process. */
export async function createApplication(platform: Platform, root: Parameters<typeof NestFactory.create>[0], options: NestApplicationOptions = {}): Promise<INestApplication<Server>> {
  const settings: NestApplicationOptions = { logger: false, abortOnError: false, rawBody: true, ...options }
  return platform === 'express' ? NestFactory.create(root as Type, settings) : NestFactory.create(root as Type, new FastifyAdapter(), settings)
}

/** Starts it on a free port, and closes it when the test is over. Gives the port. */
export async function start(app: INestApplication<Server>): Promise<number> {
  onTestFinished(() => app.close())
  await app.listen(0, '127.0.0.1')
  return (app.getHttpServer().address() as AddressInfo).port
}
