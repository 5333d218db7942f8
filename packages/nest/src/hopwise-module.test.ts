import { createIdempotency, memoryStore, type IdempotencyOptions } from '@hopwise/core'
import { Body, Controller, Get, HttpCode, Inject, Injectable, Module, Patch, Post, UploadedFile, UseInterceptors, type DynamicModule, type Type } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FileInterceptor } from '@nestjs/platform-express'
import { ApiResponse, DocumentBuilder, SwaggerModule } from '@nestjs/swagger'
import { HealthCheckService, TerminusModule } from '@nestjs/terminus'
import { Test } from '@nestjs/testing'
import { describe, expect, onTestFinished, test } from 'vitest'
import { HopHealthIndicator, HopHost, HopwiseModule, Idempotent, IdempotencyEngines, type HopwiseModuleOptions, type NestIdempotencyOptions } from './index.js'
import { createApplication, platforms, start } from './testing/application.js'
import { get, post, twice } from './testing/client.js'
import { testOptions } from './testing/options.js'

@Controller('orders')
class OrdersController {
  #runs = 0

  @Post()
  @Idempotent()
  create(@Body() order: { readonly item?: string }) {
    return { run: ++this.#runs, item: order.item }
  }
}

function rootOf(hopwise: DynamicModule[], ...controllers: Type[]): Type {
  @Module({ imports: hopwise, controllers })
  class RootModule {}
  return RootModule
}

function withOptions(options: NestIdempotencyOptions): Type {
  @Controller('own')
  class OwnController {
    @Post()
    @Idempotent(options)
    create() {
      return {}
    }
  }
  return OwnController
}

/** The message of what keeps an application from starting. */
async function failureOf(root: Type): Promise<string> {
  try {
    const app = await createApplication('express', root)
    onTestFinished(() => app.close())
    await app.init()
  } catch (error) {
    return (error as Error).message
  }
  return 'it started'
}

/** What the engine says to the same options, with no adapter between. */
function engineSays(options: object): string {
  try {
    createIdempotency(options as IdempotencyOptions<unknown>)
  } catch (error) {
    return (error as Error).message
  }
  return 'nothing'
}

describe('wrong options stop the application when it starts, with the words of every other adapter', () => {
  test.each([
    ['a missing store', { scope: 'global' }],
    ['a store that is none', { store: {}, scope: 'global' }],
    ['a missing principal', { store: memoryStore() }],
    ['a principal that is none', { store: memoryStore(), principal: 'alice' }],
    ['principal and scope together', { store: memoryStore(), principal: () => 'x', scope: 'global' }],
    ['an unknown option', { store: memoryStore(), scope: 'global', ttl: 1 }],
    ['a lease out of range', { store: memoryStore(), scope: 'global', lease: '1d' }],
    ['a fingerprint that is none', { store: memoryStore(), scope: 'global', fingerprint: 7 }],
  ])('%s', async (_what, options) => {
    const said = engineSays(options)
    expect(said).toMatch(/^idempotent: /)
    expect(await failureOf(rootOf([HopwiseModule.forRoot({})], withOptions(options as NestIdempotencyOptions)))).toBe(said)
    expect(await failureOf(rootOf([HopwiseModule.forRoot({ idempotency: options as NestIdempotencyOptions })], withOptions({})))).toBe(said)
  })

  test.each([
    [{ chain: ['alb'] }, 'HopwiseModule: unknown option "chain"; allowed: policy, requestId, idempotency, health, signals'],
    [{ policy: { chain: ['albb'] } }, 'albb'],
    [{ requestId: { trust: 'yes' } }, 'requestId: option "trust" is "yes"; allowed: true or false'],
    [{ health: { readiness: 'readyz' } }, 'health: option "readiness" is "readyz"'],
    [{ signals: 'SIGTERM' }, 'HopwiseModule: option "signals" is "SIGTERM"'],
  ])('%j', async (options, message) => {
    expect(await failureOf(rootOf([HopwiseModule.forRoot(options as HopwiseModuleOptions)]))).toContain(message)
  })

  test('the module twice', async () => {
    expect(await failureOf(rootOf([HopwiseModule.forRoot({ signals: [] }), HopwiseModule.forRoot({})]))).toContain('a policy is attached to this server already')
  })

  test('@Idempotent() without the module', async () => {
    expect(await failureOf(rootOf([], OrdersController))).toMatch(/can't resolve dependencies of the IdempotencyInterceptor.*IdempotencyEngines/s)
  })
})

describe.each(platforms)('%s', (platform) => {
  test('forRootAsync', async () => {
    @Injectable()
    class Config {
      readonly options = testOptions()
    }
    @Module({ providers: [Config], exports: [Config] })
    class ConfigModule {}
    const hopwise = HopwiseModule.forRootAsync({ imports: [ConfigModule], inject: [Config], useFactory: (config: Config) => config.options })
    const port = await start(await createApplication(platform, rootOf([hopwise], OrdersController)))
    expect(await twice(port, '/orders')).toMatchObject({ status: 201, same: true })
  })

  test('not global: where it is imported, and nowhere else', async () => {
    const hopwise = HopwiseModule.forRoot({ ...testOptions(), isGlobal: false })
    @Module({ imports: [hopwise], controllers: [OrdersController] })
    class OrdersModule {}
    @Module({ controllers: [OrdersController] })
    class StrangerModule {}
    const root = (feature: Type): Type => {
      @Module({ imports: [hopwise, feature] })
      class RootModule {}
      return RootModule
    }
    expect(await failureOf(root(StrangerModule))).toContain('IdempotencyEngines')
    expect(await twice(await start(await createApplication(platform, root(OrdersModule))), '/orders')).toMatchObject({ status: 201, same: true })
  })

  test('events of every engine', async () => {
    const app = await createApplication(platform, rootOf([HopwiseModule.forRoot(testOptions())], OrdersController, withOptions({ scope: 'global' })))
    const told: string[] = []
    const engines = app.get(IdempotencyEngines)
    const stop = engines.on('claimed', ({ fence }) => told.push(`claimed ${fence}`))
    engines.on('replayed', ({ status }) => told.push(`replayed ${status}`))
    const port = await start(app)
    await twice(port, '/orders')
    stop()
    await twice(port, '/own')
    expect(told).toEqual(['claimed 1', 'replayed 201', 'replayed 201'])
  })

  test('the hop is there when the application has started; its checks are answered before anything else', async () => {
    @Injectable()
    class Early {
      readonly atBootstrap: unknown[] = []
      readonly #host: HopHost

      constructor(@Inject(HopHost) host: HopHost) {
        this.#host = host
      }

      onApplicationBootstrap(): void {
        this.atBootstrap.push(this.#host.hop?.phase, this.#host.hop?.policy.findings.length)
      }
    }
    @Module({ imports: [HopwiseModule.forRoot({ ...testOptions(), health: { readiness: '/up', liveness: false } })], providers: [Early] })
    class RootModule {}
    const app = await createApplication(platform, RootModule)
    app.setGlobalPrefix('api')
    const port = await start(app)
    expect(app.get(Early).atBootstrap).toEqual(['ready', expect.any(Number)])
    expect([(await get(port, '/up')).body.toString(), (await get(port, '/livez')).status, (await get(port, '/up')).field('x-request-id')]).toEqual(['{"status":"ready"}', 404, undefined])
  })

  test('no request ids where they are not wanted', async () => {
    const port = await start(await createApplication(platform, rootOf([HopwiseModule.forRoot({ ...testOptions(), requestId: false })], OrdersController)))
    const response = await post(port, '/orders')
    expect([response.status, response.field('x-request-id')]).toEqual([201, undefined])
  })

  test('terminus: up, and down from the first moment of a drain', async () => {
    @Controller('health')
    class HealthController {
      readonly #health: HealthCheckService
      readonly #hopwise: HopHealthIndicator

      constructor(@Inject(HealthCheckService) health: HealthCheckService, @Inject(HopHealthIndicator) hopwise: HopHealthIndicator) {
        this.#health = health
        this.#hopwise = hopwise
      }

      @Get()
      check() {
        return this.#health.check([() => this.#hopwise.isReady()])
      }
    }
    @Module({ imports: [HopwiseModule.forRoot({ policy: { drain: { deadline: '2s' } } }), TerminusModule.forRoot({ logger: false })], controllers: [HealthController] })
    class RootModule {}
    const app = await createApplication(platform, RootModule)
    const port = await start(app)
    const up = await get(port, '/health')
    expect([up.status, JSON.parse(up.body.toString())]).toEqual([200, expect.objectContaining({ info: { hopwise: { status: 'up', phase: 'ready' } } })])
    const hop = app.get(HopHost).hop
    const drained = hop?.drain()
    const down = await get(port, '/health')
    expect([down.status, JSON.parse(down.body.toString())]).toEqual([503, expect.objectContaining({ error: { hopwise: { status: 'down', phase: 'announcing' } } })])
    await drained
  })

  test('the OpenAPI document names the field and the refusals, beside what it had', async () => {
    @Controller('documented')
    class DocumentedController {
      static readonly _OPENAPI_METADATA_FACTORY = () => ({ inferred: { type: String } })

      @Post('plain')
      @HttpCode(202)
      @Idempotent()
      plain() {}

      @Idempotent({ header: 'X-Key', required: false })
      @Patch('inferred')
      inferred() {
        return ''
      }

      @Post('own')
      @ApiResponse({ status: 200, description: 'ours' })
      @ApiResponse({ status: 409, description: 'ours' })
      @Idempotent()
      own() {}
    }
    @Controller('whole')
    @Idempotent()
    class WholeController {
      @Post()
      create() {}
    }
    const app = await createApplication(platform, rootOf([HopwiseModule.forRoot(testOptions())], DocumentedController, WholeController))
    onTestFinished(() => app.close())
    const { paths } = SwaggerModule.createDocument(app, new DocumentBuilder().build())
    const plain = paths['/documented/plain']?.post
    expect(plain?.parameters).toEqual([expect.objectContaining({ in: 'header', name: 'Idempotency-Key', required: true })])
    expect(plain?.responses['409']).toMatchObject({ content: { 'application/problem+json': { schema: { type: 'object' } } }, headers: { 'Retry-After': {} } })
    expect(paths['/documented/inferred']?.patch).toMatchObject({ parameters: [{ name: 'X-Key', required: false }], responses: { 200: { content: { 'application/json': { schema: { type: 'string' } } } } } })
    expect(paths['/documented/own']?.post?.responses['409']).toMatchObject({ description: 'ours' })
    const statuses = [plain, paths['/documented/inferred']?.patch, paths['/documented/own']?.post, paths['/whole']?.post].map((operation) => Object.keys(operation?.responses ?? {}).toSorted().join(' '))
    expect(statuses).toEqual(['202 400 409 422 503', '200 400 409 422 503', '200 400 409 422 503', '201 400 409 422 503'])
  })
})

test('a testing module, whose adapter comes when its providers are there already', async () => {
  const testing = await Test.createTestingModule({ imports: [HopwiseModule.forRoot({ ...testOptions(), health: true })], controllers: [OrdersController] }).compile()
  const app = testing.createNestApplication({ rawBody: true, logger: false })
  const port = await start(app)
  expect(await twice(port, '/orders')).toMatchObject({ status: 201, same: true })
  expect([(await get(port, '/readyz')).status, (await post(port, '/orders')).field('x-request-id')]).toEqual([200, expect.any(String)])
})

test('an application context without HTTP', async () => {
  const context = await NestFactory.createApplicationContext(rootOf([HopwiseModule.forRoot({})]), { logger: false, abortOnError: false })
  expect([context.get(HopHost).hop, context.get(HopHost).ready]).toEqual([undefined, true])
  await context.close()
})

test('an upload of a file: the fingerprint is over its bytes, and the interceptor gets them', async () => {
  @Controller('files')
  class FilesController {
    @Post()
    @UseInterceptors(FileInterceptor('file'))
    @Idempotent()
    upload(@UploadedFile() file: { readonly buffer: Buffer }) {
      return { hex: file.buffer.toString('hex') }
    }
  }
  const port = await start(await createApplication('express', rootOf([HopwiseModule.forRoot(testOptions())], FilesController)))
  const upload = (bytes: number[]) => Buffer.concat([Buffer.from('--x\r\ncontent-disposition: form-data; name="file"; filename="f"\r\ncontent-type: application/octet-stream\r\n\r\n'), Buffer.from(bytes), Buffer.from('\r\n--x--\r\n')])
  const fields = { 'content-type': 'multipart/form-data; boundary=x' }
  const response = await twice(port, '/files', { body: upload([0x89, 0xff]), fields })
  expect([response.same, response.body.toString()]).toEqual([true, '{"hex":"89ff"}'])
  expect((await post(port, '/files', { body: upload([0x89, 0xfe]), fields })).status).toBe(422)
})
