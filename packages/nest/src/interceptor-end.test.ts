import { Readable } from 'node:stream'
import { memoryStore, type ClaimResult, type IdempotencyStore } from '@hopwise/core'
import { rawConnect, requestText, type RawConnection } from '@hopwise/testkit/adapter'
import { Controller, Module, Post, Sse, StreamableFile, type CallHandler, type ExecutionContext, type NestApplicationOptions, type NestInterceptor } from '@nestjs/common'
import type { NestFastifyApplication } from '@nestjs/platform-fastify'
import { concatMap, defer, finalize, from, interval, map, of, type Observable } from 'rxjs'
import { describe, expect, test } from 'vitest'
import { HopwiseModule, Idempotent, type NestIdempotencyOptions } from './index.js'
import { createApplication, platforms, start } from './testing/application.js'
import { post } from './testing/client.js'
import { testOptions } from './testing/options.js'
import { until } from './testing/until.js'

interface Gate {
  /** Somebody has come to it. */
  readonly reached: Promise<void>
  readonly opened: Promise<void>
  readonly reach: () => void
  readonly open: () => void
}

function gate(): Gate {
  let reach = (): void => {}
  let open = (): void => {}
  const reached = new Promise<void>((resolve) => {
    reach = resolve
  })
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  return { reached, opened, reach, open }
}

/** Counts the runs of the chain that it stands in front of, and tells of each end. */
class Counting implements NestInterceptor {
  started = 0
  finished = 0
  #onFinish = (): void => {}

  intercept(_context: ExecutionContext, next: CallHandler): Observable<unknown> {
    this.started++
    return next.handle().pipe(finalize(() => {
      this.finished++
      this.#onFinish()
    }))
  }

  /** Resolves when as many have ended as began, and at least `count`. */
  allFinished(count: number): Promise<void> {
    return new Promise((resolve) => {
      this.#onFinish = () => {
        if (this.finished >= count && this.finished === this.started) resolve()
      }
      this.#onFinish()
    })
  }
}

const fields = { 'idempotency-key': 'key-1', 'x-user': 'alice', 'content-type': 'application/json' }
const text = (path: string) => requestText('POST', path, fields, '{"item":"tea"}')

describe.each(platforms)('%s: every run of the interceptor ends when its client is gone', (platform) => {
  /** The application, with a place in each handler at which it waits. */
  async function boot(options: NestIdempotencyOptions = {}, settings: NestApplicationOptions = {}) {
    const handler = gate()
    let runs = 0
    const enter = async () => {
      runs++
      handler.reach()
      await handler.opened
    }

    @Controller()
    class Orders {
      @Post('promise')
      @Idempotent()
      async promise() {
        await enter()
        return { runs }
      }

      @Post('observable')
      @Idempotent()
      observable(): Observable<unknown> {
        return defer(enter).pipe(concatMap(() => of({ runs })))
      }

      @Post('file')
      @Idempotent()
      file() {
        return new StreamableFile(Readable.from((async function* () {
          yield 'first;'
          await enter()
          yield 'last'
        })(), { objectMode: false }))
      }

      @Post('events')
      @Sse()
      @Idempotent()
      events() {
        return from(enter()).pipe(concatMap(() => interval(1)), map((n) => ({ data: String(n) })))
      }
    }

    @Module({ imports: [HopwiseModule.forRoot(testOptions(options))], controllers: [Orders] })
    class App {}

    const counting = new Counting()
    const app = await createApplication(platform, App, settings)
    app.useGlobalInterceptors(counting)
    if (settings.bodyParser === false && platform === 'fastify') {
      const fastify = (app as unknown as NestFastifyApplication).getHttpAdapter().getInstance()
      fastify.removeAllContentTypeParsers()
      fastify.addContentTypeParser('*', (_request, _payload, done) => done(null))
    }
    const port = await start(app)
    // Resolves when the server has seen that a connection is gone.
    const gone = new Promise<void>((resolve) => app.getHttpServer().on('connection', (socket) => socket.once('close', () => resolve())))
    return { port, handler, counting, gone, runs: () => runs }
  }

  /** A store whose claims wait, from the `first`-th on. */
  function slowStore(first: number) {
    const claim = gate()
    const store = memoryStore()
    let claims = 0
    const slow: IdempotencyStore = {
      ...store,
      async claim(request): Promise<ClaimResult> {
        if (++claims < first) return store.claim(request)
        claim.reach()
        await claim.opened
        return store.claim(request)
      },
    }
    return { slow, claim }
  }

  async function leave(client: RawConnection, gone: Promise<void>): Promise<void> {
    client.destroy()
    await gone
  }

  test.each(['cuts its connection', 'ends its side of it'])('while its body is read by the engine: it %s', async (how) => {
    const { port, counting, runs } = await boot({}, { bodyParser: false })
    const client = await rawConnect(port)
    client.write(text('/promise').subarray(0, -3))
    await until(() => counting.started === 1)
    if (how === 'cuts its connection') {
      client.destroy()
    } else {
      client.socket.end()
      // Node's own answer, and nothing after it.
      expect((await client.response()).status).toBe(400)
      expect(await client.closed()).toBe('end')
      await expect(client.response()).rejects.toThrow('received: ""')
    }
    await counting.allFinished(1)
    expect([counting.started, counting.finished, runs()]).toEqual([1, 1, 0])
  })

  test('while its claim is on the way: the handler runs all the same, for the retry', async () => {
    const { slow, claim } = slowStore(1)
    const { port, handler, counting, gone, runs } = await boot({ store: slow })
    const client = await rawConnect(port)
    client.write(text('/promise'))
    await claim.reached
    await leave(client, gone)
    claim.open()
    handler.open()
    await counting.allFinished(1)
    const retry = await post(port, '/promise')
    expect([retry.status, retry.field('idempotent-replayed'), runs()]).toEqual([201, 'true', 1])
  })

  test('while the claim of a replay is on the way', async () => {
    const { slow, claim } = slowStore(2)
    const { port, handler, counting, gone, runs } = await boot({ store: slow })
    handler.open()
    // Its connection is not the one that is waited for below.
    const client = await rawConnect(port)
    client.write(text('/promise'))
    await client.response()
    client.write(text('/promise'))
    await claim.reached
    await leave(client, gone)
    claim.open()
    await counting.allFinished(2)
    expect([counting.started, counting.finished, runs()]).toEqual([2, 2, 1])
  })

  test('while it waits for another request with its key', async () => {
    const { port, handler, counting, gone, runs } = await boot({ onConflict: 'wait', waitAtMost: '20s' })
    const waiting = await rawConnect(port)
    const first = await rawConnect(port)
    first.write(text('/promise'))
    await handler.reached
    waiting.write(text('/promise'))
    await until(() => counting.started === 2)
    await leave(waiting, gone)
    handler.open()
    expect((await first.response()).status).toBe(201)
    first.destroy()
    await counting.allFinished(2)
    expect([counting.started, counting.finished, runs()]).toEqual([2, 2, 1])
  })

  test('while its answer waits behind another one on its connection', async () => {
    const { port, handler, counting, gone, runs } = await boot()
    const client = await rawConnect(port)
    client.write(text('/promise'))
    await handler.reached
    // A refusal: the key is taken.
    client.write(text('/promise'))
    await until(() => counting.finished === 1)
    await leave(client, gone)
    handler.open()
    await counting.allFinished(2)
    expect([counting.started, counting.finished, runs()]).toEqual([2, 2, 1])
  })

  test.each(['promise', 'observable'])('while its handler runs, which gives one value: %s', async (path) => {
    const { port, handler, counting, gone } = await boot()
    const client = await rawConnect(port)
    client.write(text(`/${path}`))
    await handler.reached
    await leave(client, gone)
    handler.open()
    await counting.allFinished(1)
    expect([counting.started, counting.finished]).toEqual([1, 1])
  })

  test('while a file flows', async () => {
    const { port, handler, counting, gone, runs } = await boot()
    const client = await rawConnect(port)
    client.write(text('/file'))
    await handler.reached
    await leave(client, gone)
    handler.open()
    await counting.allFinished(1)
    const retry = await post(port, '/file')
    expect([retry.body.toString(), runs()]).toEqual(['first;last', 1])
  })

  test('while the claim for an event stream is on the way, which is refused', async () => {
    const { slow, claim } = slowStore(1)
    const { port, handler, counting, gone } = await boot({ store: slow })
    const client = await rawConnect(port)
    client.write(text('/events'))
    await claim.reached
    await leave(client, gone)
    claim.open()
    handler.open()
    await counting.allFinished(1)
    expect([counting.started, counting.finished]).toEqual([1, 1])
  })
})
