import { Writable } from 'node:stream'
import { createTraceContext, logBindings } from '@hopwise/core'
import { Body, Controller, Get, Injectable, Logger, Module, Post, RequestMethod, type Type } from '@nestjs/common'
import { Logger as NestPinoLogger, LoggerModule } from 'nestjs-pino'
import pino from 'pino'
import { afterEach, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { HopwiseLogger, HopwiseModule, Idempotent, type HopwiseModuleOptions } from './index.js'
import { createApplication, platforms, start, type Platform } from './testing/application.js'
import { get, post } from './testing/client.js'
import { testOptions } from './testing/options.js'
import { until } from './testing/until.js'

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'
const inRequest = { requestId: expect.stringMatching(/^[\w-]{36}$/), traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: expect.stringMatching(/^[0-9a-f]{16}$/) }

/** What the handlers write by; the application's `Logger`, unless a test has one of its own. */
let write: (message: string) => void = () => {}

@Injectable()
class Stock {
  async take(): Promise<void> {
    await new Promise(setImmediate)
    write('taken')
  }
}

@Controller('orders')
class OrdersController {
  readonly #stock = new Stock()

  @Get()
  list() {
    write('listed')
    return []
  }

  @Post()
  async create(@Body() order: { readonly item: string }) {
    await this.#stock.take()
    return order
  }

  @Post('once')
  @Idempotent()
  once(@Body() order: { readonly item: string }) {
    return this.create(order)
  }
}

function rootWith(options: HopwiseModuleOptions, ...imports: Parameters<typeof Module>[0]['imports'] & object): Type {
  @Module({ imports: [HopwiseModule.forRoot(options), ...imports], controllers: [OrdersController] })
  class RootModule {}
  return RootModule
}

const traced = (): HopwiseModuleOptions => ({ ...testOptions(), requestId: { trace: createTraceContext() } })

/** A request of each kind, and a line outside of them. Gives the ids of the responses. */
async function askAll(port: number): Promise<(string | undefined)[]> {
  const answers = [
    await get(port, '/orders', { traceparent }),
    await post(port, '/orders', { fields: { traceparent } }),
    await post(port, '/orders/once', { fields: { traceparent } }),
  ]
  write('outside')
  return answers.map((response) => response.field('x-request-id'))
}

/** Where lines go. */
function lines() {
  const written: string[] = []
  const stream = new Writable({
    write(chunk: Buffer, _encoding, done) {
      written.push(chunk.toString())
      done()
    },
  })
  return { written, stream, parsed: () => written.map((line) => JSON.parse(line) as Record<string, unknown>) }
}

/** nestjs-pino has one logger a process, made by the first module; so this one is for all of them. */
const nestPino = lines()

describe.each(platforms)('%s', (platform: Platform) => {
  describe("Nest's own logger", () => {
    let written: string[] = []

    beforeEach(() => {
      written = []
      const logger = new Logger('Orders')
      write = (message) => logger.log(message)
      for (const stream of [process.stdout, process.stderr]) {
        vi.spyOn(stream, 'write').mockImplementation((chunk) => {
          written.push(String(chunk))
          return true
        })
      }
    })
    afterEach(() => {
      vi.restoreAllMocks()
      Logger.overrideLogger(false)
    })

    test('as JSON: the ids are fields of each line of a request, and of no other', async () => {
      const app = await createApplication(platform, rootWith(traced()), { bufferLogs: true, logger: new HopwiseLogger({ json: true }) })
      const ids = await askAll(await start(app))
      const parsed = written.map((line) => JSON.parse(line) as Record<string, unknown>)
      const ofOrders = parsed.filter(({ context }) => context === 'Orders')
      expect(ofOrders.map(({ message, requestId }) => [message, requestId])).toEqual([['listed', ids[0]], ['taken', ids[1]], ['taken', ids[2]], ['outside', undefined]])
      expect(ofOrders[0]).toEqual({ level: 'log', pid: process.pid, timestamp: expect.any(Number), message: 'listed', context: 'Orders', ...inRequest })
      const others = parsed.filter((line) => line['context'] !== 'Orders')
      expect(others.length).toBeGreaterThan(5)
      for (const line of [...others, ofOrders[3]]) expect(Object.keys(line ?? {})).not.toContain('requestId')
    })

    test('as text: the ids stand before the message', async () => {
      const app = await createApplication(platform, rootWith(traced()), { bufferLogs: true })
      app.useLogger(new HopwiseLogger({ colors: false }))
      const ids = await askAll(await start(app))
      const ofOrders = written.filter((line) => line.includes('[Orders]')).map((line) => line.replace(/spanId=[0-9a-f]{16}/, 'spanId=SPAN').replace(/^.*?LOG /, ''))
      const bindings = (id: string | undefined) => `[requestId=${id} traceId=4bf92f3577b34da6a3ce929d0e0e4736 spanId=SPAN]`
      expect(ofOrders).toEqual([`[Orders] ${bindings(ids[0])} listed\n`, `[Orders] ${bindings(ids[1])} taken\n`, `[Orders] ${bindings(ids[2])} taken\n`, '[Orders] outside\n'])
      expect(written.filter((line) => line.includes('requestId'))).toHaveLength(3)
    })

    test('errors with a stack, and requests without a trace', async () => {
      const app = await createApplication(platform, rootWith(testOptions()), { logger: new HopwiseLogger({ json: true }) })
      const port = await start(app)
      write = () => new Logger('Orders').error('no tea', new Error('sold out').stack)
      const response = await get(port, '/orders')
      const line = written.map((one) => JSON.parse(one) as Record<string, unknown>).find(({ level }) => level === 'error')
      expect(line).toMatchObject({ message: 'no tea', stack: expect.stringContaining('sold out'), requestId: response.field('x-request-id') })
      expect(Object.keys(line ?? {})).not.toContain('traceId')
    })

    test('no ids, no change: the lines of ConsoleLogger', async () => {
      const app = await createApplication(platform, rootWith({ ...testOptions(), requestId: false }), { logger: new HopwiseLogger({ colors: false }) })
      await get(await start(app), '/orders')
      expect(written.at(-1)).toMatch(/^\[Nest\] \d+ {2}- .* {5}LOG \[Orders\] listed\n$/)
    })
  })

  test('pino: `mixin` puts the ids into each line of a request', async () => {
    const { stream, parsed } = lines()
    const logger = pino({ mixin: () => logBindings() }, stream)
    write = (message) => logger.info(message)
    const ids = await askAll(await start(await createApplication(platform, rootWith(traced()))))
    expect(parsed().map(({ msg, requestId }) => [msg, requestId])).toEqual([['listed', ids[0]], ['taken', ids[1]], ['taken', ids[2]], ['outside', undefined]])
    expect(parsed()[1]).toMatchObject(inRequest)
  })

  test('nestjs-pino: the same, and its own lines have the id as well', async () => {
    const { stream, parsed, written } = nestPino
    written.length = 0
    const pinoModule = LoggerModule.forRoot({
      pinoHttp: [{ mixin: () => logBindings() }, stream],
      // On Fastify its own default is for no route.
      forRoutes: [{ path: '*splat', method: RequestMethod.ALL }],
    })
    const app = await createApplication(platform, rootWith(traced(), pinoModule), { bufferLogs: true })
    app.useLogger(app.get(NestPinoLogger))
    onTestFinished(() => Logger.overrideLogger(false))
    const logger = new Logger('Orders')
    write = (message) => logger.log(message)
    const ids = await askAll(await start(app))
    const ofOrders = parsed().filter(({ context }) => context === 'Orders')
    expect(ofOrders.map(({ msg, requestId }) => [msg, requestId])).toEqual([['listed', ids[0]], ['taken', ids[1]], ['taken', ids[2]], ['outside', undefined]])
    expect(ofOrders[2]).toMatchObject({ ...inRequest, req: { method: 'POST', url: '/orders/once' } })
    const completed = () => parsed().filter(({ msg }) => msg === 'request completed')
    await until(() => completed().length === ids.length)
    expect(completed().map(({ requestId }) => requestId)).toEqual(ids)
  })
})
