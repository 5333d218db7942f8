import type { IncomingMessage, Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { getRequestId } from '@hopwise/core'
import { adapterContract, fieldsByName, installed, testAdapterContract, type AdapterSetup, type ContractRoute } from '@hopwise/testkit/adapter'
import { Controller, Get, Module, Post, Req, Res, StreamableFile, type INestApplication } from '@nestjs/common'
import { HttpAdapterHost } from '@nestjs/core'
import type { NestExpressApplication } from '@nestjs/platform-express'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { describe, expect, test } from 'vitest'
import { HopwiseModule, Idempotent, IdempotentRun, type NestRequest } from './index.js'
import { createApplication, platforms, type Platform } from './testing/application.js'

type Request = NestRequest & { readonly raw?: IncomingMessage; readonly rawBody?: Uint8Array; readonly query: Record<string, string> }

/** A controller with one handler a route, each kind of answer by the means that Nest users have for it. */
function controllerFor(routes: readonly ContractRoute[], adapter: () => HttpAdapterHost['httpAdapter']) {
  @Controller()
  class ContractController {}
  routes.forEach((route, index) => {
    const handler = async (request: Request, response: object, run: IdempotentRun | undefined) => {
      await turn()
      const output = await route.handle({ body: await bodyOf(request), requestId: getRequestId(), run, query: (name) => request.query[name] })
      if (output.kind === 'throw') throw new Error(output.message)
      adapter().status(response, output.status)
      for (const [name, value] of fieldsByName(output.fields)) adapter().setHeader(response, name, value as string)
      // Nest sends no body for null.
      if (output.kind === 'json') return output.value ?? jsonNull(adapter(), response)
      if (output.kind === 'bytes') return new StreamableFile(output.bytes)
      if (output.kind === 'stream') return new StreamableFile(Readable.from(output.chunks, { objectMode: false }))
      return undefined
    }
    const name = `route${index}`
    const descriptor: TypedPropertyDescriptor<typeof handler> = { value: handler, configurable: true, writable: true }
    Object.defineProperty(ContractController.prototype, name, descriptor)
    const decorators = [route.method === 'GET' ? Get(route.path) : Post(route.path), ...(route.idempotent ? [Idempotent()] : [])]
    for (const decorate of decorators) decorate(ContractController.prototype, name, descriptor)
    for (const [position, decorate] of [Req(), Res({ passthrough: true }), IdempotentRun()].entries()) decorate(ContractController.prototype, name, position)
  })
  return ContractController
}

function jsonNull(adapter: HttpAdapterHost['httpAdapter'], response: object): string {
  adapter.setHeader(response, 'content-type', 'application/json')
  return 'null'
}

async function bodyOf(request: Request): Promise<Uint8Array> {
  const native = request.raw ?? (request as unknown as IncomingMessage)
  return request.rawBody ?? Buffer.concat(await Readable.prototype.toArray.call(native))
}

/** With no parser of Nest's, so that the handler reads the body itself, or with one for everything, and `rawBody`. */
async function boot(platform: Platform, { routes, idempotency, requestId, parserFirst }: AdapterSetup) {
  let app: INestApplication<Server> | undefined
  const ContractController = controllerFor(routes, () => app?.get(HttpAdapterHost).httpAdapter as HttpAdapterHost['httpAdapter'])

  @Module({
    imports: [HopwiseModule.forRoot({ idempotency: { ...idempotency, principal: ({ headers }) => headers['x-user'] as string | undefined }, requestId, policy: { chain: ['nginx'] } })],
    controllers: [ContractController],
  })
  class ContractModule {}

  app = await createApplication(platform, ContractModule, parserFirst ? { rawBody: true } : { bodyParser: false, rawBody: false })
  if (platform === 'express') {
    if (parserFirst) (app as NestExpressApplication).useBodyParser('raw', { type: () => true, limit: '12mb' })
  } else if (parserFirst) {
    for (const type of ['application/json', '*']) (app as NestFastifyApplication).useBodyParser(type, { bodyLimit: 12 * 2 ** 20 }, (_request, body, done) => done(null, body))
  } else {
    const fastify = (app as NestFastifyApplication).getHttpAdapter().getInstance()
    fastify.removeAllContentTypeParsers()
    fastify.addContentTypeParser('*', (_request, _payload, done) => done(null))
  }
  await app.listen(0, '127.0.0.1')
  let closing: Promise<void> | undefined
  const close = () => (closing ??= app.close())
  return { port: (app.getHttpServer().address() as AddressInfo).port, drain: close, close }
}

const nest11 = new URL('../nest11/package.json', import.meta.url).href

describe.each(platforms)('%s', (platform) => {
  const contract = adapterContract({
    name: '@hopwise/nest',
    framework: `${installed('@nestjs/core', process.env['NEST'] === '11' ? nest11 : import.meta.url)} on ${platform}`,
    capabilities: { streams: true, pipelining: true, parserFirst: true, expectContinue: true, drain: true },
    boot: (setup) => boot(platform, setup),
  })
  testAdapterContract(contract, test)
  test('nothing is skipped', () => expect(contract.skipped).toEqual([]))
})
