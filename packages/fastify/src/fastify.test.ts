import { randomBytes } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { gunzipSync, gzipSync } from 'node:zlib'
import fastifyCompress from '@fastify/compress'
import fastifyEtag from '@fastify/etag'
import { getRequestId, HopwiseError, memoryStore, type IdempotencyEvents } from '@hopwise/core'
import { rawRequest, requestText } from '@hopwise/testkit/adapter'
import { fastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify'
import { describe, expect, test } from 'vitest'
import { idempotency, idempotentRun, requestId, requestIdentityOf } from './index.js'
import { listen, options, post, postText, protectedRoute } from './testing/service.js'

/** A handler that knows how often it ran, and answers with that and with what it got. */
const counting = () => {
  let runs = 0
  return { handler: async (request: FastifyRequest) => ({ run: ++runs, got: request.body }), runs: () => runs }
}

/** Answers with the code of whatever came to the error path. */
const tellCode = (app: FastifyInstance): void => {
  app.setErrorHandler((error, _request, reply) => reply.code(500).send(error instanceof HopwiseError ? error.code : String(error)))
}

describe('plugins around it', () => {
  test.each(['before', 'after'])('@fastify/compress registered %s it: the client gets the same bytes twice', async (where) => {
    const { handler, runs } = counting()
    const app = fastify()
    if (where === 'before') await app.register(fastifyCompress, { threshold: 0 })
    await app.register(idempotency, options())
    if (where === 'after') await app.register(fastifyCompress, { threshold: 0 })
    app.post('/orders', protectedRoute, handler)
    const port = await listen(app)
    const [first, second] = [await post(port, '/orders', { 'accept-encoding': 'gzip' }), await post(port, '/orders', { 'accept-encoding': 'gzip' })]
    for (const response of [first, second]) {
      expect([response.field('content-encoding'), response.field('vary')]).toEqual(['gzip', 'accept-encoding'])
      expect(gunzipSync(response.body).toString()).toBe('{"run":1,"got":{"item":"tea"}}')
    }
    expect([second.body.equals(first.body), second.field('idempotent-replayed'), runs()]).toEqual([true, 'true', 1])
  })

  test('an answer that was not encoded is encoded on a replay, where the client asks for it', async () => {
    const app = fastify()
    await app.register(fastifyCompress, { threshold: 0 })
    await app.register(idempotency, options())
    app.post('/orders', protectedRoute, counting().handler)
    const port = await listen(app)
    expect((await post(port, '/orders')).body.toString()).toBe('{"run":1,"got":{"item":"tea"}}')
    expect(gunzipSync((await post(port, '/orders', { 'accept-encoding': 'gzip' })).body).toString()).toBe('{"run":1,"got":{"item":"tea"}}')
  })

  test.each(['before', 'after'])('an encoded request, @fastify/compress registered %s it: the handler gets what is in it', async (where) => {
    const { handler, runs } = counting()
    const app = fastify()
    if (where === 'before') await app.register(fastifyCompress)
    await app.register(idempotency, options())
    if (where === 'after') await app.register(fastifyCompress)
    app.post('/orders', protectedRoute, handler)
    const port = await listen(app)
    const send = () => rawRequest(port, requestText('POST', '/orders', { 'content-type': 'application/json', 'content-encoding': 'gzip', 'idempotency-key': 'key-1' }, gzipSync('{"item":"tea"}')))
    for (let turn = 0; turn < 2; turn++) expect((await send()).body.toString()).toBe('{"run":1,"got":{"item":"tea"}}')
    expect(runs()).toBe(1)
  })

  test.each(['before', 'after'])('@fastify/etag registered %s it: the tag is that of the first answer', async (where) => {
    const app = fastify()
    if (where === 'before') await app.register(fastifyEtag)
    await app.register(idempotency, options())
    if (where === 'after') await app.register(fastifyEtag)
    app.post('/orders', protectedRoute, counting().handler)
    const port = await listen(app)
    const [first, second] = [await post(port, '/orders'), await post(port, '/orders')]
    expect(first.field('etag')).toMatch(/^"/)
    expect([second.field('etag'), second.body.toString(), second.field('idempotent-replayed')]).toEqual([first.field('etag'), first.body.toString(), 'true'])
  })

  test('replays and refusals go through the hooks, and have what earlier hooks have set', async () => {
    const app = fastify()
    app.addHook('onRequest', async (_request, reply) => void reply.header('cache-control', 'no-store').header('x-early', '1').header('set-cookie', 'own=1'))
    let sent = 0
    app.addHook('onSend', async (_request, reply) => void reply.header('x-sent', String(++sent)))
    await app.register(idempotency, options())
    app.post('/orders', protectedRoute, async (_request, reply) => reply.header('cache-control', 'max-age=5').send('tea'))
    const port = await listen(app)
    const answers = [await post(port, '/orders'), await post(port, '/orders'), await post(port, '/orders', {}, '{}')]
    expect(answers.map((response) => [response.status, response.field('x-sent'), response.field('x-early'), response.field('cache-control'), response.fields.filter(([name]) => name === 'set-cookie').length])).toEqual([
      [200, '1', '1', 'max-age=5', 1],
      [200, '2', '1', 'max-age=5', 1],
      [422, '3', '1', 'no-store', 1],
    ])
  })

  test('an answer that takes the place of a stale owner\'s has what earlier hooks have set', async () => {
    const store = memoryStore()
    const app = fastify()
    app.addHook('onRequest', async (_request, reply) => void reply.header('access-control-allow-origin', '*'))
    await app.register(idempotency, { store: { ...store, complete: async () => false }, scope: 'global' })
    app.post('/orders', protectedRoute, counting().handler)
    const response = await post(await listen(app), '/orders')
    expect([response.status, response.field('access-control-allow-origin')]).toEqual([409, '*'])
  })
})

describe('the error path', () => {
  test.each<[string, (app: FastifyInstance) => void, number, string]>([
    ['Fastify\'s own', () => {}, 402, '{"statusCode":402,"code":"E_TEA","error":"Payment Required","message":"run 1"}'],
    ['an error handler of the app', (app) => void app.setErrorHandler((error: Error, _request, reply) => reply.code(418).send({ told: error.message })), 418, '{"told":"run 1"}'],
    ['an error handler that throws', (app) => void app.setErrorHandler(() => {
      throw new Error('worse')
    }), 500, '{"statusCode":500,"error":"Internal Server Error","message":"worse"}'],
  ])('%s answers what the handler throws, and that answer is replayed', async (_what, prepare, status, body) => {
    let runs = 0
    const app = fastify()
    prepare(app)
    await app.register(requestId)
    await app.register(idempotency, options())
    app.post('/orders', protectedRoute, async () => {
      throw Object.assign(new Error(`run ${++runs}`), { statusCode: 402, code: 'E_TEA' })
    })
    const port = await listen(app)
    const [first, second] = [await post(port, '/orders'), await post(port, '/orders')]
    expect([first.status, first.body.toString()]).toEqual([status, body])
    expect([second.status, second.body.toString(), second.field('idempotent-replayed'), second.field('x-original-request-id')]).toEqual([status, body, 'true', first.field('x-request-id')])
    expect(runs).toBe(1)
  })

  test.each([
    ['a body that is no JSON', '{"item"', 'FST_ERR_CTP_INVALID_JSON_BODY'],
    ['a body that the schema refuses', '{"item":[]}', 'FST_ERR_VALIDATION'],
  ])('%s is refused by Fastify, for good: the same bytes get the same answer', async (_what, body, code) => {
    const { handler, runs } = counting()
    const app = fastify()
    await app.register(idempotency, options())
    app.post('/orders', { ...protectedRoute, schema: { body: { type: 'object', properties: { item: { type: 'string' } } } } }, handler)
    const port = await listen(app)
    const [first, second] = [await post(port, '/orders', {}, body), await post(port, '/orders', {}, body)]
    expect([first.status, JSON.parse(first.body.toString()).code, runs()]).toEqual([400, code, 0])
    expect([second.body.equals(first.body), second.field('idempotent-replayed')]).toEqual([true, 'true'])
  })

  test('a refusal is a problem document, whatever the error handler does', async () => {
    const app = fastify()
    tellCode(app)
    await app.register(idempotency, { store: memoryStore(), principal: () => undefined })
    app.post('/orders', protectedRoute, counting().handler)
    const response = await post(await listen(app), '/orders')
    expect([response.status, response.field('content-type'), JSON.parse(response.body.toString()).type]).toEqual([400, 'application/problem+json', 'urn:hopwise:problem:principal-missing'])
  })

  test.each<[string, (app: FastifyInstance) => void]>([
    ['body-already-read', (app) => void app.addHook('preParsing', async (request, _reply, payload) => {
      for await (const _chunk of request.raw);
      return payload
    })],
    ['response-already-started', (app) => void app.addHook('onRequest', (_request, reply, done) => {
      reply.raw.write('early')
      done()
    })],
  ])('%s is an error of the application, and the handler does not run', async (code, prepare) => {
    const { handler, runs } = counting()
    const codes: unknown[] = []
    const app = fastify()
    prepare(app)
    app.setErrorHandler((error: HopwiseError, _request, reply) => {
      codes.push(error.code)
      reply.hijack().raw.end()
    })
    await app.register(idempotency, options())
    app.post('/orders', protectedRoute, handler)
    await post(await listen(app), '/orders')
    expect([codes, runs()]).toEqual([[code], 0])
  })

  test('what principal throws goes to the error path, and nothing is claimed', async () => {
    const { handler, runs } = counting()
    const app = fastify()
    tellCode(app)
    await app.register(idempotency, { store: memoryStore(), principal: () => Promise.reject(new Error('who is it')) })
    app.post('/orders', protectedRoute, handler)
    expect((await post(await listen(app), '/orders')).body.toString()).toBe('Error: who is it')
    expect(runs()).toBe(0)
  })
})

describe('answers of each kind are replayed as they were', () => {
  test.each<[string, (reply: FastifyReply) => unknown, number]>([
    ['a text', () => 'tea', 200],
    ['bytes', () => Buffer.from([0, 0xff, 0xfe]), 200],
    ['an object through a serializer', (reply) => reply.serializer((value) => `<${String((value as { tea: number }).tea)}>`).type('text/html').send({ tea: 1 }), 200],
    ['a file without a type', () => createReadStream(new URL(import.meta.url)), 200],
    ['a web stream', () => ReadableStream.from([Buffer.from('tea')]), 200],
    ['a Response', () => new Response('tea', { status: 201, headers: { 'x-tea': 'green' } }), 201],
    ['a Response without a body', () => new Response(null, { status: 202 }), 202],
    ['a redirect', (reply) => reply.redirect('/elsewhere', 303), 303],
    ['204', (reply) => reply.code(204).send(), 204],
    ['304', (reply) => reply.code(304).send(), 304],
    ['an answer to nobody', (reply) => reply.callNotFound(), 404],
    ['cookies', (reply) => reply.header('set-cookie', 'a=1').header('x-tea', 'green').send('tea'), 200],
    ['what is written to the response itself', (reply) => {
      reply.hijack().raw.writeHead(201, { 'x-tea': 'green' }).end('tea')
    }, 201],
  ])('%s', async (_what, write, status) => {
    let runs = 0
    const app = fastify()
    await app.register(idempotency, options())
    app.post('/orders', protectedRoute, async (_request, reply) => {
      runs++
      return write(reply)
    })
    const port = await listen(app)
    const [first, second] = [await post(port, '/orders'), await post(port, '/orders')]
    expect(first.status).toBe(status)
    expect([second.status, second.body]).toEqual([status, first.body])
    const own = new Set(['date', 'idempotent-replayed', 'transfer-encoding', 'content-length', 'set-cookie'])
    const kept = ({ fields }: typeof first) => fields.filter(([name]) => !own.has(name)).toSorted()
    expect(kept(second)).toEqual(kept(first))
    expect([second.field('idempotent-replayed'), runs]).toEqual(['true', 1])
  })

  test('a response schema leaves out what it does not name, on a replay too', async () => {
    const app = fastify()
    await app.register(idempotency, options())
    app.post('/orders', { ...protectedRoute, schema: { response: { 200: { type: 'object', properties: { id: { type: 'number' } } } } } }, async () => ({ id: 1, secret: 2 }))
    const port = await listen(app)
    for (let turn = 0; turn < 2; turn++) expect((await post(port, '/orders')).body.toString()).toBe('{"id":1}')
  })

  test.each(['in one piece', 'as a stream'])('10 MiB, sent %s', async (how) => {
    const bytes = randomBytes(10 * 2 ** 20)
    const pieces = Array.from({ length: 160 }, (_, at) => bytes.subarray(at * 65_536, (at + 1) * 65_536))
    const app = fastify()
    await app.register(idempotency, { ...options(), maxResponseBytes: 11 * 2 ** 20 })
    app.post('/orders', protectedRoute, async () => (how === 'as a stream' ? Readable.from(pieces) : bytes))
    const port = await listen(app)
    expect((await post(port, '/orders')).body.equals(bytes)).toBe(true)
    const second = await post(port, '/orders')
    expect([second.body.equals(bytes), second.field('idempotent-replayed')]).toEqual([true, 'true'])
  })

  test('GET and HEAD are no protected methods and pass', async () => {
    const { handler, runs } = counting()
    const app = fastify()
    await app.register(idempotency, options())
    app.get('/orders', protectedRoute, handler)
    const port = await listen(app)
    for (const method of ['GET', 'HEAD', 'HEAD']) expect((await fetch(`http://127.0.0.1:${port}/orders`, { method, headers: { 'idempotency-key': 'key-1' } })).status).toBe(200)
    expect(runs()).toBe(3)
  })
})

test('the principal is who an onRequest hook of the route has found, and the handler knows its run and its id', async () => {
  const app = fastify()
  app.decorateRequest('user', '')
  await app.register(requestId, { trust: true })
  await app.register(idempotency, { store: memoryStore(), principal: (request) => request.getDecorator<string>('user'), fingerprint: ({ native }) => native.url })
  app.post('/orders', { ...protectedRoute, onRequest: async (request) => request.setDecorator('user', request.headers['x-user']) }, async (request) => ({
    attempt: idempotentRun(request)?.attempt,
    same: getRequestId() === requestIdentityOf(request)?.id,
    id: getRequestId(),
  }))
  const port = await listen(app)
  expect((await post(port, '/orders', { 'x-user': 'alice', 'x-request-id': 'edge-made-id-1' })).body.toString()).toBe('{"attempt":1,"same":true,"id":"edge-made-id-1"}')
  expect((await post(port, '/orders', { 'x-user': 'alice' })).field('x-original-request-id')).toBe('edge-made-id-1')
  expect((await post(port, '/orders', { 'x-user': 'mallory' })).field('idempotent-replayed')).toBeUndefined()
})

test('one key on two paths of one pattern is one key with another target, and a pattern has the prefix of its scope', async () => {
  const app = fastify()
  await app.register(idempotency, options())
  for (const prefix of ['/a', '/b']) void app.register(async (scope) => void scope.post('/:id/orders', protectedRoute, counting().handler), { prefix })
  const port = await listen(app)
  expect([(await post(port, '/a/1/orders')).status, (await post(port, '/a/2/orders')).status, (await post(port, '/b/1/orders')).status]).toEqual([200, 422, 200])
})

test('events of all routes are told in one place, also of one with options of its own', async () => {
  const app = fastify()
  await app.register(idempotency, options())
  const seen: string[] = []
  const ends = (['claimed', 'completed', 'replayed', 'mismatch'] satisfies (keyof IdempotencyEvents)[]).map((name) => app.idempotency.on(name, () => seen.push(name)))
  app.post('/orders', protectedRoute, counting().handler)
  app.post('/slow', { config: { idempotent: { lease: '5m' } } }, counting().handler)
  const port = await listen(app)
  await post(port, '/orders')
  await post(port, '/slow')
  await rawRequest(port, postText('/slow'))
  for (const end of ends) end()
  await post(port, '/slow', {}, '{}')
  expect(seen).toEqual(['claimed', 'completed', 'claimed', 'completed', 'replayed'])
})
