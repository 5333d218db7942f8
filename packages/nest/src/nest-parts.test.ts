import type { ServerResponse } from 'node:http'
import { Readable } from 'node:stream'
import {
  Body, ClassSerializerInterceptor, Controller, Get, HttpCode, HttpException, Inject, Injectable, Module, Param, Post, Redirect, Req, Res, Scope, Sse, StreamableFile, UseFilters, UseGuards, UseInterceptors, ValidationPipe, Version, VersioningType,
  type ArgumentsHost, type CanActivate, type CallHandler, type ExceptionFilter, type ExecutionContext, type NestInterceptor, type Type,
} from '@nestjs/common'
import { REQUEST, Reflector } from '@nestjs/core'
import { Exclude } from 'class-transformer'
import { IsString } from 'class-validator'
import { finalize, interval, map, of, tap, type Observable } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { ClientRequestId, HopwiseModule, Idempotent, IdempotentRun, RequestId, type NestIdempotencyOptions } from './index.js'
import { createApplication, platforms, start } from './testing/application.js'
import { get, post, twice } from './testing/client.js'
import { testOptions } from './testing/options.js'

interface Authenticated {
  user?: { readonly id: string }
  readonly headers: Record<string, string>
}

@Injectable()
class UserGuard implements CanActivate {
  canActivate(context: ExecutionContext): boolean {
    const request = context.switchToHttp().getRequest<Authenticated>()
    if (request.headers['x-user'] === 'nobody') return false
    request.user = { id: `user-${request.headers['x-user']}` }
    return true
  }
}

/** What interceptors saw, one entry a request. */
const seen: string[] = []

@Injectable()
class Envelope implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(map((data: unknown) => ({ data })))
  }
}

@Injectable()
class Watcher implements NestInterceptor {
  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(tap((value) => seen.push(JSON.stringify(value) ?? 'undefined')), finalize(() => seen.push('over')))
  }
}

class Teapot implements ExceptionFilter {
  catch(error: Error, host: ArgumentsHost): void {
    const response = host.switchToHttp().getResponse<{ status(code: number): { send(body: unknown): void } }>()
    response.status(418).send({ short: error.message })
  }
}

class OrderDto {
  @IsString()
  readonly item: string = ''
}

class Account {
  readonly name: string
  @Exclude()
  readonly password = 'secret'

  constructor(name: string) {
    this.name = name
  }
}

@Injectable({ scope: Scope.REQUEST })
class PerRequest {
  readonly #request: Authenticated

  constructor(@Inject(REQUEST) request: Authenticated) {
    this.#request = request
  }

  get user(): string {
    return this.#request.headers['x-user'] ?? ''
  }
}

let runs = 0

@Controller('parts')
@Idempotent()
class PartsController {
  @Post('envelope')
  @UseInterceptors(Envelope)
  envelope() {
    return { run: ++runs }
  }

  @Post('watched')
  @UseInterceptors(Watcher)
  watched() {
    return { run: ++runs }
  }

  @Post('filtered')
  @UseFilters(Teapot)
  filtered() {
    throw new Error(`run ${++runs}`)
  }

  @Post('exception')
  exception() {
    throw new HttpException({ code: 'card_declined', run: ++runs }, 402)
  }

  @Post('res')
  res(@Res() response: { raw?: ServerResponse } & ServerResponse) {
    const native = response.raw ?? response
    native.writeHead(202, { 'content-type': 'text/plain', 'x-run': ++runs })
    native.write('half ')
    native.end('whole')
  }

  @Post('file')
  file() {
    return new StreamableFile(Readable.from(['one,', 'two,', String(++runs)], { objectMode: false }), { type: 'text/csv', disposition: 'attachment; filename="x.csv"' })
  }

  @Post('valid')
  valid(@Body(new ValidationPipe({ expectedType: OrderDto })) order: OrderDto) {
    return { item: order.item, run: ++runs }
  }

  @Post('account')
  @UseInterceptors(ClassSerializerInterceptor)
  account() {
    return new Account(`run ${++runs}`)
  }

  @Post('observable')
  observable() {
    return of({ run: ++runs })
  }

  @Post('redirect')
  @Redirect('/elsewhere', 303)
  redirect() {
    return { url: `/orders/${++runs}` }
  }

  @Post('empty')
  @HttpCode(204)
  empty() {
    ++runs
  }

  @Post('items/:id')
  item(@Param('id') id: string) {
    return { id, run: ++runs }
  }

  @Post('ids')
  ids(@RequestId() id: string, @ClientRequestId() clientId: string, @IdempotentRun() run: IdempotentRun) {
    return { id, clientId, attempt: run?.attempt, key: typeof run?.key }
  }

  @Post('own-options')
  @Idempotent({ required: false, scope: 'global' })
  ownOptions() {
    return { run: ++runs }
  }

  @Get('unprotected')
  unprotected(@IdempotentRun() run: IdempotentRun | undefined) {
    return { run: run ?? null }
  }
}

@Controller({ path: 'events' })
class EventsController {
  @Post()
  @Sse()
  @Idempotent()
  byPost() {
    return interval(1).pipe(map((n) => ({ data: String(n) })))
  }

  @Sse()
  @Idempotent({ methods: ['GET'] })
  byGet() {
    return this.byPost()
  }
}

@Controller({ path: 'versioned' })
class VersionedController {
  @Post()
  @Version('1')
  @Idempotent()
  first() {
    return { version: 1, run: ++runs }
  }

  @Post()
  @Version('2')
  @Idempotent()
  second() {
    return { version: 2, run: ++runs }
  }
}

@Controller({ path: 'scoped', scope: Scope.REQUEST })
class ScopedController {
  readonly #own: PerRequest

  constructor(@Inject(PerRequest) own: PerRequest) {
    this.#own = own
  }

  @Post()
  @Idempotent()
  create() {
    return { user: this.#own.user, run: ++runs }
  }
}

@Controller('guarded')
@UseGuards(UserGuard)
class GuardedController {
  @Post()
  @Idempotent({ principal: (request: Authenticated & { method: string; url: string }) => request.user?.id })
  create(@Req() request: Authenticated) {
    return { user: request.user?.id, run: ++runs }
  }
}

const controllers = [PartsController, EventsController, ScopedController, GuardedController]

function rootWith(options: NestIdempotencyOptions = {}, served: Type[] = controllers): Type {
  @Module({ imports: [HopwiseModule.forRoot(testOptions(options))], controllers: served, providers: [PerRequest, { provide: ClassSerializerInterceptor, inject: [Reflector], useFactory: (reflector: Reflector) => new ClassSerializerInterceptor(reflector) }] })
  class RootModule {}
  return RootModule
}

describe.each(platforms)('%s', (platform) => {
  const boot = async (options?: NestIdempotencyOptions, prepare: (app: Awaited<ReturnType<typeof createApplication>>) => void = () => {}, served?: Type[]) => {
    const app = await createApplication(platform, rootWith(options, served))
    prepare(app)
    return start(app)
  }

  test.each([
    ['an interceptor maps', 'envelope', 201, /^\{"data":\{"run":\d+\}\}$/],
    ['an exception filter answers', 'filtered', 418, /^\{"short":"run \d+"\}$/],
    ['an HttpException', 'exception', 402, /^\{"code":"card_declined","run":\d+\}$/],
    ['@Res() and writes of its own', 'res', 202, /^half whole$/],
    ['a StreamableFile', 'file', 201, /^one,two,\d+$/],
    ['a pipe that lets it pass', 'valid', 201, /^\{"item":"tea","run":\d+\}$/],
    ['a serializer leaves something out', 'account', 201, /^\{"name":"run \d+"\}$/],
    ['an Observable', 'observable', 201, /^\{"run":\d+\}$/],
    ['@Redirect()', 'redirect', 303, /.*/],
    ['204', 'empty', 204, /^$/],
    ['a parameter of the path', 'items/7', 201, /^\{"id":"7","run":\d+\}$/],
  ])('%s: the replay has the bytes that the first answer had, and nothing ran again', async (_what, path, status, body) => {
    const port = await boot()
    const before = runs
    const response = await twice(port, `/parts/${path}`)
    expect([response.status, response.same, runs - before]).toEqual([status, true, 1])
    expect(response.body.toString()).toMatch(body)
  })

  test('a pipe that refuses is a result: its 400 is replayed, and the handler never ran', async () => {
    const port = await boot()
    const before = runs
    const response = await twice(port, '/parts/valid', { body: '{"item":7}' })
    expect([response.status, response.same, runs]).toEqual([400, true, before])
  })

  test('an interceptor further out sees one value a request, undefined for a replay, and then its end', async () => {
    const app = await createApplication(platform, rootWith())
    app.useGlobalInterceptors(new Watcher(), new Envelope())
    const port = await start(app)
    seen.length = 0
    const response = await twice(port, '/parts/account')
    expect([response.status, response.same]).toEqual([201, true])
    expect(seen).toEqual([expect.stringMatching(/^\{"data":\{"name":"run \d+"\}\}$/), 'over', '{}', 'over'])
  })

  test('an interceptor further out that fails over a replay does no harm', async () => {
    const app = await createApplication(platform, rootWith())
    app.useGlobalInterceptors({ intercept: (_context, next) => next.handle().pipe(map((value: { run: number }) => ({ again: value.run.toFixed() }))) })
    const port = await start(app)
    const response = await twice(port, '/parts/observable')
    expect([response.status, response.same]).toEqual([201, true])
  })

  test('a refusal is a problem document, and no filter sees it', async () => {
    const port = await boot({}, (app) => app.useGlobalFilters(new Teapot()))
    expect((await post(port, '/parts/envelope', { key: '' })).status).toBe(400)
    await post(port, '/parts/envelope')
    const reused = await post(port, '/parts/envelope', { body: '{"item":"coffee"}' })
    expect([reused.status, reused.field('content-type')]).toEqual([422, 'application/problem+json'])
  })

  test('the error path of Nest sees a body that a parser has read without rawBody', async () => {
    const app = await createApplication(platform, rootWith(), { rawBody: false })
    app.useGlobalFilters(new Teapot())
    const response = await post(await start(app), '/parts/envelope')
    expect([response.status, response.body.toString()]).toEqual([418, expect.stringContaining('the request body was read before the idempotency middleware ran')])
  })

  test.each(['GET', 'POST'])('@Sse by %s is refused with 500 at once', async (method) => {
    const port = await boot()
    const send = (key: string) => (method === 'POST' ? post(port, '/events', { key }) : get(port, '/events', { 'idempotency-key': key, 'x-user': 'alice' }))
    const [first, again] = [await send('a'), await send('a')]
    for (const response of [first, again]) expect([response.status, JSON.parse(response.body.toString())]).toEqual([500, expect.objectContaining({ type: 'urn:hopwise:problem:endless-stream' })])
  })

  test("a guard's user is the principal, and a guard that refuses claims nothing", async () => {
    const port = await boot({ principal: () => 'nobody else' })
    expect((await post(port, '/guarded', { user: 'nobody' })).status).toBe(403)
    const alice = await twice(port, '/guarded')
    const mallory = await post(port, '/guarded', { user: 'mallory' })
    expect([alice.status, alice.same, JSON.parse(alice.body.toString()), JSON.parse(mallory.body.toString())]).toEqual([201, true, expect.objectContaining({ user: 'user-alice' }), expect.objectContaining({ user: 'user-mallory' })])
  })

  test('a request-scoped controller has its own providers, and runs once', async () => {
    const response = await twice(await boot(), '/scoped')
    expect([response.same, JSON.parse(response.body.toString())]).toEqual([true, expect.objectContaining({ user: 'alice' })])
  })

  test.each([
    ['uri', { type: VersioningType.URI }, (version: number) => ({ path: `/v${version}/versioned`, fields: {} })],
    ['header', { type: VersioningType.HEADER, header: 'x-version' }, (version: number) => ({ path: '/versioned', fields: { 'x-version': String(version) } })],
    ['media type', { type: VersioningType.MEDIA_TYPE, key: 'v=' }, (version: number) => ({ path: '/versioned', fields: { accept: `application/json;v=${version}` } })],
  ] as const)('versions by %s: a key of one is no key of the other', async (_what, versioning, requestOf) => {
    const port = await boot({}, (app) => app.enableVersioning(versioning), [VersionedController])
    for (const version of [1, 2]) {
      const { path, fields } = requestOf(version)
      const response = await twice(port, path, { fields, key: 'same' })
      expect([response.same, JSON.parse(response.body.toString())]).toEqual([true, expect.objectContaining({ version })])
    }
  })

  test('the options of a handler are over those of its controller and of the module', async () => {
    const port = await boot({ required: true })
    expect((await post(port, '/parts/own-options', { key: '' })).status).toBe(201)
    const alice = await post(port, '/parts/own-options')
    expect((await post(port, '/parts/own-options', { user: 'mallory' })).body).toEqual(alice.body)
  })

  test('a key belongs to the pattern of the route', async () => {
    const port = await boot({}, (app) => app.setGlobalPrefix('api'))
    expect((await post(port, '/api/parts/items/1')).status).toBe(201)
    expect((await post(port, '/api/parts/items/2')).status).toBe(422)
  })

  test('parameters: the id, the one that was not trusted, the run', async () => {
    const port = await boot()
    const response = await post(port, '/parts/ids', { fields: { 'x-request-id': 'client-chose-this' } })
    expect(JSON.parse(response.body.toString())).toEqual({ id: response.field('x-request-id'), clientId: 'client-chose-this', attempt: 1, key: 'string' })
    expect((await get(port, '/parts/unprotected')).body.toString()).toBe('{"run":null}')
  })

  test('fields that others set are on a replay as well', async () => {
    const port = await boot({}, (app) => app.enableCors({ origin: 'https://shop.example', exposedHeaders: ['x-run'] }))
    for (const response of [await post(port, '/parts/envelope', { fields: { origin: 'https://shop.example' } }), await post(port, '/parts/envelope', { fields: { origin: 'https://shop.example' } })]) {
      expect([response.status, response.field('access-control-allow-origin'), response.field('x-request-id')]).toEqual([201, 'https://shop.example', expect.any(String)])
    }
  })

  test('even what no route is there for has a request id', async () => {
    const port = await boot()
    const [missing, malformed] = [await get(port, '/nothing'), await post(port, '/parts/envelope', { body: '{' })]
    expect([missing.status, missing.field('x-request-id'), malformed.status, malformed.field('x-request-id')]).toEqual([404, expect.any(String), 400, expect.any(String)])
  })
})

