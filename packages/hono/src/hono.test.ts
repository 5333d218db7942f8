import { createTraceContext, memoryStore, NoEffectError, outgoingFields, type IdempotencyStore } from '@hopwise/core'
import { Hono, type Context } from 'hono'
import { compress } from 'hono/compress'
import { cors } from 'hono/cors'
import { etag } from 'hono/etag'
import { validator } from 'hono/validator'
import { describe, expect, test } from 'vitest'
import { idempotent, requestId } from './index.js'

const options = () => ({ store: memoryStore(), scope: 'global' as const })
const post = (app: Pick<Hono, 'request'>, path = '/orders', fields: Record<string, string> = {}, body = '{"item":"tea"}') =>
  app.request(path, { method: 'POST', body, headers: { 'content-type': 'application/json', 'idempotency-key': 'key-1', ...fields } })
const bytesOf = async (response: Response) => Buffer.from(await response.arrayBuffer()).toString('hex')
const own = new Set(['idempotent-replayed', 'x-original-request-id', 'x-request-id', 'set-cookie'])
const fieldsOf = (response: Response) => [...response.headers].filter(([name]) => !own.has(name)).toSorted()

describe('bytes and fields of a replay are those of the first answer', () => {
  const text = (c: Context, run: number) => {
    c.header('set-cookie', 'a=1', { append: true })
    c.header('set-cookie', 'b=2', { append: true })
    return c.text(`run ${run} ${'x'.repeat(2_000)}`, 201)
  }
  test.each<[string, (app: Hono, protect: ReturnType<typeof idempotent>) => void]>([
    ['compress before', (app, protect) => void app.use(compress()).use(protect)],
    ['compress after', (app, protect) => void app.use(protect).use(compress())],
    ['etag before', (app, protect) => void app.use(etag()).use(protect)],
    ['etag after', (app, protect) => void app.use(protect).use(etag())],
    ['compress and etag before', (app, protect) => void app.use(etag()).use(compress()).use(protect)],
    ['cors before', (app, protect) => void app.use(cors({ origin: 'https://shop.test', exposeHeaders: ['x-run'] })).use(protect)],
    ['all of them before', (app, protect) => void app.use(requestId()).use(cors()).use(etag()).use(compress()).use(protect)],
  ])('%s', async (_what, mount) => {
    let runs = 0
    const app = new Hono()
    mount(app, idempotent(options()))
    app.post('/orders', (c) => text(c, ++runs))
    const ask = () => post(app, '/orders', { 'accept-encoding': 'gzip', origin: 'https://shop.test' })
    const first = await ask()
    // A body that is still being compressed flows: the answer is kept with its end.
    const bytes = await bytesOf(first)
    const second = await ask()
    expect([first.status, second.status, second.headers.get('idempotent-replayed'), runs]).toEqual([201, 201, 'true', 1])
    expect(fieldsOf(second)).toEqual(fieldsOf(first))
    expect(await bytesOf(second)).toBe(bytes)
    expect([first.headers.getSetCookie(), second.headers.getSetCookie()]).toEqual([['a=1', 'b=2'], []])
  })

  test('cors after: its fields belong to one origin, and are not replayed', async () => {
    const app = new Hono().use(idempotent(options())).use(cors()).post('/orders', (c) => c.text('ok'))
    expect([(await post(app)).headers.get('access-control-allow-origin'), (await post(app)).headers.get('access-control-allow-origin')]).toEqual(['*', null])
  })

  test.each<[string, (c: Context, run: number) => Response | Promise<Response>]>([
    ['a Response that the handler made', (_c, run) => new Response(`run ${run}`, { status: 202, headers: { 'x-run': String(run) } })],
    ['html', (c, run) => c.html(`<p>${run}</p>`)],
    ['a redirect', (c, run) => c.redirect(`/orders/${run}`, 303)],
    ['nothing', (c) => c.body(null, 204)],
    ['notFound()', (c) => c.notFound()],
  ])('of %s', async (_what, respond) => {
    let runs = 0
    const app = new Hono().use(requestId()).post('/orders', idempotent(options()), (c) => respond(c, ++runs))
    const first = await post(app)
    const bytes = await bytesOf(first)
    const second = await post(app)
    expect([second.status, fieldsOf(second), await bytesOf(second), runs]).toEqual([first.status, fieldsOf(first), bytes, 1])
    for (const response of [first, second]) expect(response.headers.get('x-request-id')).toMatch(/^[0-9a-f-]{36}$/)
    expect(second.headers.get('x-original-request-id')).toBe(first.headers.get('x-request-id'))
  })
})

test('fields that earlier middleware set stay on a refusal and on a replay', async () => {
  const app = new Hono()
    .use(async (c, next) => {
      c.header('x-earlier', 'yes')
      await next()
    })
    .post('/orders', idempotent(options()), (c) => c.text('ok'))
  const refused = await app.request('/orders', { method: 'POST' })
  expect([refused.status, refused.headers.get('x-earlier'), refused.headers.get('content-type')]).toEqual([400, 'yes', 'application/problem+json'])
  await post(app)
  expect((await post(app)).headers.get('x-earlier')).toBe('yes')
})

test('a stale owner\'s response is replaced, with none of its fields', async () => {
  const store: IdempotencyStore = { ...memoryStore(), complete: async () => false }
  const app = new Hono().use(requestId()).post('/orders', idempotent({ store, scope: 'global' }), (c) => c.text('mine', 200, { 'x-run': '1' }))
  const response = await post(app)
  expect([response.status, response.headers.get('x-run'), response.headers.get('x-request-id') === null]).toEqual([409, null, false])
})

describe('the key belongs to', () => {
  const make = (mount: 'route' | 'use') => {
    let runs = 0
    const protect = idempotent(options())
    const app = new Hono()
    if (mount === 'use') app.use('/users/*', protect)
    const handler = (c: Context) => c.json(++runs)
    if (mount === 'route') app.post('/users/:id/orders', protect, handler).post('/users/:id/notes', protect, handler)
    else app.post('/users/:id/orders', handler).post('/users/:id/notes', handler)
    return app
  }
  test.each(['route', 'use'] as const)('the pattern of the handler, mounted by %s', async (mount) => {
    const app = make(mount)
    const statuses: number[] = []
    for (const path of ['/users/1/orders', '/users/2/orders', '/users/1/notes']) statuses.push((await post(app, path)).status)
    expect(statuses).toEqual([200, 422, 200])
  })
})

describe('errors', () => {
  test('what the handler throws is answered by onError, and that answer is replayed', async () => {
    let runs = 0
    const app = new Hono().post('/orders', idempotent(options()), () => {
      throw new Error(`run ${++runs}`)
    })
    app.onError((error, c) => c.text(error.message, 500))
    expect(await (await post(app)).text()).toBe('run 1')
    const second = await post(app)
    expect([second.status, await second.text(), second.headers.get('idempotent-replayed')]).toEqual([500, 'run 1', 'true'])
  })

  test('NoEffectError gives the key back', async () => {
    let runs = 0
    const app = new Hono().post('/orders', idempotent(options()), () => {
      runs++
      throw new NoEffectError('the card was not charged')
    })
    app.onError((_error, c) => c.text('no', 502))
    expect([(await post(app)).status, (await post(app)).headers.get('idempotent-replayed'), runs]).toEqual([502, null, 2])
  })

  test('mounted twice is an error of the application, and nothing is stored', async () => {
    const app = new Hono().use(idempotent(options())).post('/orders', idempotent(options()), (c) => c.text('ok'))
    app.onError((error, c) => c.text((error as Error & { code: string }).code, 500))
    for (let turn = 0; turn < 2; turn++) {
      const response = await post(app)
      expect([response.status, await response.text(), response.headers.get('idempotent-replayed')]).toEqual([500, 'mounted-twice', null])
    }
  })

  test('what principal throws goes to onError, and nothing is claimed', async () => {
    let runs = 0
    const app = new Hono().post('/orders', idempotent({ store: memoryStore(), principal: () => Promise.reject(new Error('who is it')) }), (c) => c.json(++runs))
    app.onError((error, c) => c.text(error.message, 500))
    expect([await (await post(app)).text(), runs]).toEqual(['who is it', 0])
  })

  test.each([
    [{}, /option "store" is required/],
    [{ store: memoryStore() }, /option "principal" is required/],
    [{ store: memoryStore(), scope: 'global', leas: '30s' }, /unknown option "leas"/],
  ])('wrong options are errors at start: %j', (wrong, message) => {
    expect(() => idempotent(wrong as never)).toThrow(message)
  })
})

describe('a body that was read before', () => {
  const read: [string, (c: Context) => Promise<unknown>][] = [
    ['json()', (c) => c.req.json()],
    ['text()', (c) => c.req.text()],
    ['arrayBuffer()', (c) => c.req.arrayBuffer()],
    ['blob()', (c) => c.req.blob()],
  ]
  test.each(read)('through c.req.%s is fingerprinted, and read again', async (_what, parse) => {
    const app = new Hono()
      .use(async (c, next) => {
        await parse(c)
        await next()
      })
      .post('/orders', idempotent(options()), async (c) => c.json(await c.req.json()))
    expect(await (await post(app)).json()).toEqual({ item: 'tea' })
    expect((await post(app)).headers.get('idempotent-replayed')).toBe('true')
    expect((await post(app, '/orders', {}, '{"item":"coffee"}')).status).toBe(422)
  })

  test('past Hono, from the raw request, is an error', async () => {
    const app = new Hono()
      .use(async (c, next) => {
        await c.req.raw.text()
        await next()
      })
      .post('/orders', idempotent(options()), (c) => c.text('ok'))
    app.onError((error, c) => c.text((error as Error & { code: string }).code, 500))
    expect(await (await post(app)).text()).toBe('body-already-read')
  })

  test.each(['before', 'after'])('by a validator that stands %s', async (where) => {
    const check = validator('json', (value: { item: string }) => value)
    const protect = idempotent(options())
    const app = new Hono()
    if (where === 'before') app.post('/orders', check, protect, (c) => c.json(c.req.valid('json')))
    else app.post('/orders', protect, check, (c) => c.json(c.req.valid('json')))
    expect(await (await post(app)).json()).toEqual({ item: 'tea' })
    expect((await post(app)).headers.get('idempotent-replayed')).toBe('true')
  })
})

test('the runtime\'s waitUntil is asked before the key is claimed, and kept until the result is stored', async () => {
  const kept: Promise<unknown>[] = []
  const context = { waitUntil: (promise: Promise<unknown>) => void kept.push(promise), passThroughOnException: () => {}, props: {} }
  const store = memoryStore()
  const calls: [string, number][] = []
  const watched: typeof store = {
    ...store,
    claim: (...args) => {
      calls.push(['claim', kept.length])
      return store.claim(...args)
    },
    complete: (...args) => {
      calls.push(['complete', kept.length])
      return store.complete(...args)
    },
  }
  const app = new Hono().post('/orders', idempotent({ ...options(), store: watched }), (c) => c.text('ok'))
  await app.fetch(new Request('http://test/orders', { method: 'POST', headers: { 'idempotency-key': 'k' } }), {}, context)
  await Promise.all(kept)
  expect(calls).toEqual([['claim', 1], ['complete', 1]])
})

test('events tell what happened', async () => {
  const protect = idempotent(options())
  const seen: string[] = []
  for (const name of ['claimed', 'completed', 'replayed', 'mismatch'] as const) protect.on(name, () => seen.push(name))
  const app = new Hono().post('/orders', protect, (c) => c.text('ok'))
  await post(app)
  await post(app)
  await post(app, '/orders', {}, 'other')
  expect(seen).toEqual(['claimed', 'completed', 'replayed', 'mismatch'])
})

test('with a trace context, the trace that came is continued', async () => {
  const app = new Hono().use(requestId({ trace: createTraceContext() })).get('/', (c) => c.json(Object.fromEntries(outgoingFields())))
  const response = await app.request('/', { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } })
  expect(await response.json()).toMatchObject({
    'x-request-id': response.headers.get('x-request-id'),
    traceparent: expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/) as string,
  })
})
