import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { Router } from '@koa/router'
import { HopwiseError, memoryStore, type IdempotencyEvents } from '@hopwise/core'
import { rawRequest, requestText } from '@hopwise/testkit/adapter'
import { type Context, type Middleware } from 'koa'
import compress from 'koa-compress'
import conditional from 'koa-conditional-get'
import etag from 'koa-etag'
import { describe, expect, test } from 'vitest'
import { idempotent, idempotentRun, requestId } from './index.js'
import { bodyParser } from './testing/body-parser.js'
import { listen, options, post, silentApp } from './testing/service.js'

/** A handler that knows how often it ran, and answers with that and with what it got. */
const counting = (): { handler: Middleware; runs: () => number } => {
  let runs = 0
  return {
    handler: (context) => {
      context.body = { run: ++runs, got: (context.request as { body?: unknown }).body }
    },
    runs: () => runs,
  }
}

/** An app with one route. */
const served = (...steps: Middleware[]): Promise<number> => {
  const app = silentApp()
  const router = new Router()
  router.post('/orders', ...steps)
  app.use(router.routes())
  return listen(app)
}

describe('middleware around it', () => {
  test.each(['before', 'after'])('compression mounted %s it: the client gets the same bytes twice', async (where) => {
    const { handler, runs } = counting()
    const squeeze = compress({ threshold: 0, br: false }) as Middleware
    const protect = idempotent(options())
    const port = await served(...(where === 'before' ? [squeeze, protect] : [protect, squeeze]), bodyParser(), handler)
    const [first, second] = [await post(port, '/orders', { 'accept-encoding': 'gzip' }), await post(port, '/orders', { 'accept-encoding': 'gzip' })]
    for (const response of [first, second]) {
      expect([response.field('content-encoding'), response.field('vary')]).toEqual(['gzip', 'Accept-Encoding'])
      expect(gunzipSync(response.body).toString()).toBe('{"run":1,"got":{"item":"tea"}}')
    }
    expect([second.body.equals(first.body), second.field('idempotent-replayed'), runs()]).toEqual([true, 'true', 1])
  })

  test('compression before it encodes the replay of an answer that was not encoded, where the client asks for it', async () => {
    const { handler } = counting()
    const port = await served(compress({ threshold: 0, br: false }) as Middleware, idempotent(options()), bodyParser(), handler)
    expect((await post(port, '/orders')).body.toString()).toBe('{"run":1,"got":{"item":"tea"}}')
    const second = await post(port, '/orders', { 'accept-encoding': 'gzip' })
    expect(gunzipSync(second.body).toString()).toBe('{"run":1,"got":{"item":"tea"}}')
  })

  test.each(['before', 'after'])('koa-etag and koa-conditional-get mounted %s it: the tag is that of the first answer', async (where) => {
    const tagging = [conditional(), etag()]
    const protect = idempotent(options())
    const port = await served(...(where === 'before' ? [...tagging, protect] : [protect, ...tagging]), counting().handler)
    const [first, second] = [await post(port, '/orders'), await post(port, '/orders')]
    expect(first.field('etag')).toMatch(/^"/)
    expect([second.field('etag'), second.body.toString(), second.field('idempotent-replayed')]).toEqual([first.field('etag'), first.body.toString(), 'true'])
  })

  test('middleware outside of it sees a replay and a refusal as any other answer', async () => {
    const seen: [number, string][] = []
    const look: Middleware = async (context, next) => {
      await next()
      seen.push([context.status, context.type])
      context.set('x-seen', String(seen.length))
    }
    const port = await served(look, idempotent(options()), counting().handler)
    const answers = [await post(port, '/orders'), await post(port, '/orders'), await post(port, '/orders', {}, '{"item":"coffee"}')]
    expect(seen).toEqual([[200, 'application/json'], [200, 'application/json'], [422, 'application/problem+json']])
    expect(answers.map((response) => response.field('x-seen'))).toEqual(['1', '2', '3'])
  })

  test('@koa/bodyparser before it keeps the text, which is fingerprinted', async () => {
    const { handler, runs } = counting()
    const port = await served(bodyParser(), idempotent(options()), handler)
    expect((await post(port, '/orders', {}, '{"item":"café ☕"}')).body.toString()).toBe('{"run":1,"got":{"item":"café ☕"}}')
    expect((await post(port, '/orders', {}, '{"item":"café ☕"}')).field('idempotent-replayed')).toBe('true')
    expect((await post(port, '/orders', {}, '{"item":"café"}')).status).toBe(422)
    expect(runs()).toBe(1)
  })

  test('a parser that read the body and kept nothing is an error of the application, and the handler does not run', async () => {
    const { handler, runs } = counting()
    const swallow: Middleware = async (context, next) => {
      for await (const _chunk of context.req);
      await next()
    }
    const codes: unknown[] = []
    const app = silentApp()
    app.on('error', (error: HopwiseError) => codes.push(error.code))
    app.use(swallow).use(idempotent(options())).use(handler)
    expect((await post(await listen(app), '/orders')).status).toBe(500)
    expect([codes, runs()]).toEqual([['body-already-read'], 0])
  })
})

describe('the error path', () => {
  const failing = (error: (run: number) => unknown) => {
    let runs = 0
    const handler: Middleware = () => {
      throw error(++runs)
    }
    return { handler, runs: () => runs }
  }

  test.each<[string, (run: number) => unknown, number, string]>([
    ['an error', (run) => new Error(`run ${run}`), 500, 'Internal Server Error'],
    ['an error that may be shown', (run) => Object.assign(new Error(`run ${run}`), { status: 409, expose: true }), 409, 'run 1'],
    ['something that is no error', (run) => `run ${run}`, 500, 'Internal Server Error'],
  ])('%s is told to the app and answered by Koa, and that answer is replayed', async (_what, error, status, body) => {
    const { handler, runs } = failing(error)
    const app = silentApp()
    let told = 0
    app.on('error', () => ++told)
    app.use(requestId()).use(idempotent(options())).use(handler)
    const port = await listen(app)
    const [first, second] = [await post(port, '/orders'), await post(port, '/orders')]
    expect([first.status, first.body.toString()]).toEqual([status, body])
    expect([second.status, second.body.toString(), second.field('idempotent-replayed')]).toEqual([status, body, 'true'])
    expect([told, runs()]).toEqual([1, 1])
  })

  test('what error middleware outside of it makes of the error is the result', async () => {
    const { handler, runs } = failing((run) => new Error(`run ${run}`))
    const port = await served(async (context, next) => {
      try {
        await next()
      } catch (error) {
        context.status = 502
        context.body = { error: (error as Error).message }
      }
    }, idempotent(options()), handler)
    for (let turn = 0; turn < 2; turn++) {
      const response = await post(port, '/orders')
      expect([response.status, response.body.toString()]).toEqual([502, '{"error":"run 1"}'])
    }
    expect(runs()).toBe(1)
  })

  test('an answer of the error path has the id of its request', async () => {
    const app = silentApp()
    app.use(requestId({ trust: true })).use((context) => context.throw(418, { headers: { 'x-own': '1' } }))
    const response = await rawRequest(await listen(app), requestText('GET', '/', { 'x-request-id': 'edge-made-id-1' }))
    expect([response.status, response.field('x-request-id'), response.field('x-own')]).toEqual([418, 'edge-made-id-1', '1'])
  })

  test('a stream that fails cuts the connection, and there is no result: the retry waits for the lease', async () => {
    const port = await served(idempotent(options()), (context) => {
      context.body = Readable.from((async function* () {
        yield Buffer.from('half')
        throw new Error('the disk is gone')
      })())
    })
    await expect(post(port, '/orders')).rejects.toThrow(/the connection ended/)
    expect((await post(port, '/orders')).status).toBe(409)
  })

  test('what principal throws goes to the error path, and nothing is claimed', async () => {
    const { handler, runs } = counting()
    const port = await served(idempotent({ store: memoryStore(), principal: (context) => context.throw(401, 'who is it') }), handler)
    const response = await post(port, '/orders')
    expect([response.status, response.body.toString(), runs()]).toEqual([401, 'who is it', 0])
  })
})

describe('answers of each kind are replayed as they were', () => {
  const file = new URL(import.meta.url)
  test.each<[string, (context: Context) => unknown, number]>([
    ['a text', (context) => (context.body = 'tea'), 200],
    ['HTML', (context) => (context.body = '<p>tea'), 200],
    ['bytes', (context) => (context.body = Buffer.from([0, 0xff, 0xfe])), 200],
    ['a file', (context) => {
      context.type = 'text/x-typescript'
      context.body = createReadStream(file)
    }, 200],
    ['a Blob', (context) => (context.body = new Blob(['tea'], { type: 'text/plain' })), 200],
    ['a Response', (context) => (context.body = new Response('tea', { status: 201, headers: { 'x-tea': 'green' } })), 201],
    ['a Response without a body', (context) => (context.body = new Response(null, { status: 202 })), 202],
    ['a redirect', (context) => context.redirect('/elsewhere'), 302],
    ['no body but a status', (context) => (context.status = 202), 202],
    ['204', (context) => (context.status = 204), 204],
    ['304', (context) => (context.status = 304), 304],
    ['no answer, which is 404', () => undefined, 404],
    ['what is written to the response itself', (context) => {
      context.respond = false
      context.res.writeHead(201, { 'x-tea': 'green' }).end('tea')
    }, 201],
  ])('%s', async (_what, write, status) => {
    let runs = 0
    const port = await served(idempotent(options()), (context) => {
      runs++
      write(context)
    })
    const [first, second] = [await post(port, '/orders'), await post(port, '/orders')]
    expect(first.status).toBe(status)
    expect([second.status, second.body]).toEqual([status, first.body])
    const own = new Set(['date', 'idempotent-replayed', 'transfer-encoding', 'content-length'])
    const kept = ({ fields }: typeof first) => fields.filter(([name]) => !own.has(name)).toSorted()
    expect(kept(second)).toEqual(kept(first))
    expect([second.field('idempotent-replayed'), runs]).toEqual(['true', 1])
  })

  test('a file is whole', async () => {
    const port = await served(idempotent(options()), (context) => void (context.body = createReadStream(file)))
    await post(port, '/orders')
    expect((await post(port, '/orders')).body.equals(await readFile(file))).toBe(true)
  })

  test.each(['in one piece', 'as a stream'])('10 MiB, sent %s', async (how) => {
    const bytes = randomBytes(10 * 2 ** 20)
    const pieces = Array.from({ length: 160 }, (_, at) => bytes.subarray(at * 65_536, (at + 1) * 65_536))
    const port = await served(idempotent({ ...options(), maxResponseBytes: 11 * 2 ** 20 }), (context) => void (context.body = how === 'as a stream' ? Readable.from(pieces) : bytes))
    expect((await post(port, '/orders')).body.equals(bytes)).toBe(true)
    const second = await post(port, '/orders')
    expect([second.body.equals(bytes), second.field('idempotent-replayed')]).toEqual([true, 'true'])
  })

  test('HEAD is no protected method and passes', async () => {
    const app = silentApp()
    const { handler, runs } = counting()
    app.use(idempotent(options())).use(handler)
    const port = await listen(app)
    for (let turn = 0; turn < 2; turn++) expect((await fetch(`http://127.0.0.1:${port}/orders`, { method: 'HEAD', headers: { 'idempotency-key': 'key-1' } })).status).toBe(200)
    expect(runs()).toBe(2)
  })
})

describe('routes', () => {
  test('one key on two paths of one pattern is one key with another target: 422', async () => {
    const app = silentApp()
    const router = new Router({ prefix: '/users' })
    router.post('/:id/orders', idempotent(options()), counting().handler)
    app.use(router.routes())
    const port = await listen(app)
    expect([(await post(port, '/users/1/orders')).status, (await post(port, '/users/2/orders')).status]).toEqual([200, 422])
  })

  test('by router.use, a key belongs to the pattern of the route that is matched in the end', async () => {
    const app = silentApp()
    const router = new Router()
    router.use(idempotent(options()))
    router.post('/orders', counting().handler).post('/refunds/:id', counting().handler)
    app.use(router.routes())
    const port = await listen(app)
    expect([(await post(port, '/orders')).status, (await post(port, '/refunds/1')).status, (await post(port, '/refunds/2')).status]).toEqual([200, 200, 422])
  })

  test('by app.use, a key belongs to the path', async () => {
    const app = silentApp()
    const { handler, runs } = counting()
    app.use(idempotent(options())).use(handler)
    const port = await listen(app)
    expect([(await post(port, '/a')).status, (await post(port, '/b')).status, runs()]).toEqual([200, 200, 2])
  })

  test('a router below two paths, as koa-mount has it, does not share keys', async () => {
    const { handler, runs } = counting()
    const router = new Router()
    router.post('/orders', idempotent(options()), handler)
    const app = silentApp()
    app.use((context, next) => {
      context.path = context.path.slice('/a'.length)
      return next()
    })
    app.use(router.routes())
    const port = await listen(app)
    expect([(await post(port, '/a/orders')).status, (await post(port, '/b/orders')).status, runs()]).toEqual([200, 200, 2])
  })
})

describe('wrong mounts', () => {
  const codeOf = async (...steps: Middleware[]) => {
    const app = silentApp()
    const codes: unknown[] = []
    app.on('error', (error: HopwiseError) => codes.push(error.code))
    for (const step of steps) app.use(step)
    const port = await listen(app)
    const statuses = [await post(port, '/orders'), await post(port, '/orders')].map((response) => [response.status, response.field('idempotent-replayed')])
    return { codes, statuses }
  }

  test('mounted twice is an error of the application, and nothing is stored', async () => {
    const { handler, runs } = counting()
    expect(await codeOf(idempotent(options()), idempotent(options()), handler)).toEqual({ codes: ['mounted-twice', 'mounted-twice'], statuses: [[500, undefined], [500, undefined]] })
    expect(runs()).toBe(0)
  })

  test('mounted after the response began is an error of the application', async () => {
    const begin: Middleware = async (context, next) => {
      context.respond = false
      context.res.write('early')
      await next().finally(() => context.res.end())
    }
    expect((await codeOf(begin, idempotent(options()), counting().handler)).codes).toEqual(['response-already-started', 'response-already-started'])
  })

  test('a principal that gives nothing is a refusal, and the handler does not run', async () => {
    const { handler, runs } = counting()
    const port = await served(idempotent({ store: memoryStore(), principal: () => undefined }), handler)
    const response = await post(port, '/orders')
    expect([response.status, response.field('content-type'), JSON.parse(response.body.toString()).type, runs()]).toEqual([400, 'application/problem+json', 'urn:hopwise:problem:principal-missing', 0])
  })
})

test('functions of the options get the context', async () => {
  const seen: unknown[] = []
  const port = await served(
    async (context, next) => {
      context.state.user = 'alice'
      await next()
    },
    idempotent({
      store: memoryStore(),
      principal: (context) => (seen.push(context.state.user), context.state.user),
      fingerprint: (incoming) => (seen.push(incoming.native.state.user), 'same'),
    }),
    counting().handler,
  )
  await post(port, '/orders')
  expect([(await post(port, '/orders', {}, 'other')).field('idempotent-replayed'), seen]).toEqual(['true', ['alice', 'alice', 'alice', 'alice']])
})

test('events tell what happened, and the handler sees its attempt', async () => {
  const protect = idempotent(options())
  const seen: string[] = []
  for (const name of ['claimed', 'completed', 'replayed', 'mismatch'] satisfies (keyof IdempotencyEvents)[]) protect.on(name, () => seen.push(name))
  const port = await served(protect, (context) => void (context.body = { attempt: idempotentRun(context)?.attempt }))
  expect((await post(port, '/orders')).body.toString()).toBe('{"attempt":1}')
  await post(port, '/orders')
  await post(port, '/orders', {}, '{"item":"coffee"}')
  expect(seen).toEqual(['claimed', 'completed', 'replayed', 'mismatch'])
})

test.each([
  [{}, /option "store" is required: an idempotency store, such as memoryStore\(\)/],
  [{ store: memoryStore() }, /option "principal" is required.*scope: "global"/],
  [{ store: {}, scope: 'global' }, /option "store" is an object; allowed: an idempotency store/],
  [{ store: memoryStore(), principal: 'alice' }, /option "principal" is "alice"; allowed: a function/],
  [{ store: memoryStore(), scope: 'global', leas: '30s' }, /unknown option "leas"; allowed: store, principal, scope/],
  [{ store: memoryStore(), scope: 'global', lease: '30' }, /option "lease" is "30"; allowed: a duration such as/],
  [{ store: memoryStore(), scope: 'global', lease: '2h' }, /option "lease" is "2h"; allowed: .*from 100ms to 1h/],
  ['store', /idempotent: expected an options object, got "store"/],
  [[], /idempotent: expected an options object/],
])('wrong options are errors at start: %j', (wrong, message) => {
  expect(() => idempotent(wrong as never)).toThrow(message)
})
