import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { pipeline, Readable } from 'node:stream'
import { gunzipSync } from 'node:zlib'
import { createTraceContext, HopwiseError, memoryStore, outgoingFields, type IdempotencyEvents } from '@hopwise/core'
import { rawConnect, rawRequest, requestText } from '@hopwise/testkit/adapter'
import compression from 'compression'
import express5, { type ErrorRequestHandler, type Express, type RequestHandler } from 'express'
import express4 from 'express4'
import { describe, expect, onTestFinished, test } from 'vitest'
import { idempotent, idempotentRun, requestId } from './index.js'

type Framework = typeof express5

async function listen(app: Express): Promise<number> {
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  return (server.address() as AddressInfo).port
}

/** Answers with the code of whatever came to the error path. */
const tellCode: ErrorRequestHandler = (error: unknown, _request, response, _next) => {
  response.status(500).send(error instanceof HopwiseError ? error.code : String(error))
}

const options = () => ({ store: memoryStore(), scope: 'global' as const })

function post(port: number, path: string, fields: Record<string, string> = {}, body = '{"item":"tea"}') {
  return rawRequest(port, requestText('POST', path, { 'content-type': 'application/json', 'idempotency-key': 'key-1', ...fields }, body))
}

function deferred() {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}

describe.each([
  ['express 5', express5],
  ['express 4', express4],
] as [string, Framework][])('%s', (_name, express) => {
  const counting = (): { handler: RequestHandler; runs: () => number } => {
    let runs = 0
    return { handler: (request, response) => void response.json({ run: ++runs, got: request.body as unknown }), runs: () => runs }
  }

  test.each(['before', 'after'])('compression mounted %s the middleware: the client gets the same text twice', async (where) => {
    const app = express()
    const { handler, runs } = counting()
    const compress = compression({ threshold: 0 })
    const protect = idempotent(options())
    app.post('/orders', ...(where === 'before' ? [compress, protect] : [protect, compress]), express.json(), handler)
    const port = await listen(app)
    const [first, second] = [await post(port, '/orders', { 'accept-encoding': 'gzip' }), await post(port, '/orders', { 'accept-encoding': 'gzip' })]
    for (const response of [first, second]) {
      expect(response.field('content-encoding')).toBe('gzip')
      expect(gunzipSync(response.body).toString()).toBe('{"run":1,"got":{"item":"tea"}}')
    }
    expect([second.field('idempotent-replayed'), runs()]).toEqual(['true', 1])
  })

  test('a trace is continued, and the handler finds what to send on', async () => {
    const app = express()
    app.use(requestId({ trace: createTraceContext() }))
    app.get('/', async (_request, response) => {
      await new Promise(setImmediate)
      response.json(Object.fromEntries(outgoingFields()))
    })
    const port = await listen(app)
    const answer = await rawRequest(port, requestText('GET', '/', { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01', tracestate: 'vendor=1' }))
    const sent = JSON.parse(answer.body.toString()) as Record<string, string>
    expect(sent['x-request-id']).toBe(answer.field('x-request-id'))
    expect(sent['traceparent']).toMatch(/^00-0af7651916cd43dd8448eb211c80319c-(?!b7ad6b7169203331)[0-9a-f]{16}-01$/)
    expect(sent['tracestate']).toBe('vendor=1')
  })

  test('a client that goes away does not stop a stream that is piped to it afterwards: its retry gets the whole', async () => {
    const app = express()
    const [began, gone, kept] = [deferred(), deferred(), deferred()]
    const protect = idempotent(options())
    protect.on('completed', () => kept.resolve())
    app.post('/orders', protect, (_request, response, next) => {
      response.req.socket.once('close', () => setImmediate(gone.resolve))
      began.resolve()
      void gone.promise.then(() => pipeline(Readable.from(['one ', 'two ', 'three']), response, (error) => error && next(error)))
    })
    const port = await listen(app)
    const client = await rawConnect(port)
    client.write(requestText('POST', '/orders', { 'idempotency-key': 'key-1' }))
    await began.promise
    client.destroy()
    await kept.promise
    const retry = await rawRequest(port, requestText('POST', '/orders', { 'idempotency-key': 'key-1' }))
    expect([retry.status, retry.body.toString(), retry.field('idempotent-replayed')]).toEqual([200, 'one two three', 'true'])
  })

  test('a parser that read the body first is an error of the application, and the handler does not run', async () => {
    const app = express()
    const { handler, runs } = counting()
    app.use(express.json())
    app.post('/orders', idempotent(options()), handler)
    app.use(tellCode)
    const response = await post(await listen(app), '/orders')
    expect([response.status, response.body.toString(), runs()]).toEqual([500, 'body-already-read', 0])
  })

  test('mounted twice is an error of the application, and nothing is stored', async () => {
    const app = express()
    const { handler, runs } = counting()
    app.use(idempotent(options()))
    app.post('/orders', idempotent(options()), handler)
    app.use(tellCode)
    const port = await listen(app)
    for (let turn = 0; turn < 2; turn++) {
      const response = await post(port, '/orders')
      expect([response.status, response.body.toString(), response.field('idempotent-replayed')]).toEqual([500, 'mounted-twice', undefined])
    }
    expect(runs()).toBe(0)
  })

  test('mounted after the response began is an error of the application', async () => {
    const app = express()
    app.use((_request, response, next) => {
      response.write('early')
      next()
    })
    app.post('/orders', idempotent(options()), counting().handler)
    let code: string | undefined
    const look: ErrorRequestHandler = (error: HopwiseError, _request, response, _next) => {
      code = error.code
      response.end()
    }
    app.use(look)
    await post(await listen(app), '/orders')
    expect(code).toBe('response-already-started')
  })

  test('one key on two paths of one pattern is one key with another target: 422', async () => {
    const app = express()
    const { handler } = counting()
    app.post('/users/:id/orders', idempotent(options()), express.json(), handler)
    const port = await listen(app)
    expect((await post(port, '/users/1/orders')).status).toBe(200)
    expect((await post(port, '/users/2/orders')).status).toBe(422)
  })

  test('routers that are mounted at different paths do not share keys', async () => {
    const app = express()
    const { handler, runs } = counting()
    const router = express.Router()
    router.post('/orders', idempotent(options()), express.json(), handler)
    app.use('/a', router).use('/b', router)
    const port = await listen(app)
    expect([(await post(port, '/a/orders')).status, (await post(port, '/b/orders')).status, runs()]).toEqual([200, 200, 2])
  })

  test('an error that the handler passes on is answered by the error path, and that answer is replayed', async () => {
    const app = express()
    let runs = 0
    app.post('/orders', idempotent(options()), (_request, _response, next) => next(new Error(`run ${++runs}`)))
    app.use(tellCode)
    const port = await listen(app)
    expect((await post(port, '/orders')).body.toString()).toBe('Error: run 1')
    const second = await post(port, '/orders')
    expect([second.status, second.body.toString(), second.field('idempotent-replayed')]).toEqual([500, 'Error: run 1', 'true'])
  })

  test('what principal throws goes to the error path, and nothing is claimed', async () => {
    const app = express()
    const { handler, runs } = counting()
    app.post('/orders', idempotent({ store: memoryStore(), principal: () => Promise.reject(new Error('who is it')) }), handler)
    app.use(tellCode)
    expect((await post(await listen(app), '/orders')).body.toString()).toBe('Error: who is it')
    expect(runs()).toBe(0)
  })

  test('events tell what happened, and the handler sees its attempt', async () => {
    const app = express()
    const protect = idempotent(options())
    const seen: string[] = []
    for (const name of ['claimed', 'completed', 'replayed', 'mismatch'] satisfies (keyof IdempotencyEvents)[]) protect.on(name, () => seen.push(name))
    app.post('/orders', protect, (request, response) => void response.json({ attempt: idempotentRun(request)?.attempt }))
    const port = await listen(app)
    expect((await post(port, '/orders')).body.toString()).toBe('{"attempt":1}')
    await post(port, '/orders')
    await post(port, '/orders', {}, '{"item":"coffee"}')
    expect(seen).toEqual(['claimed', 'completed', 'replayed', 'mismatch'])
  })
})

test.each([
  [{}, /option "store" is required: an idempotency store, such as memoryStore\(\)/],
  [{ store: memoryStore() }, /option "principal" is required.*scope: "global"/],
  [{ store: {}, scope: 'global' }, /option "store" is an object; allowed: an idempotency store/],
  [{ store: memoryStore(), scope: 'global', leas: '30s' }, /unknown option "leas"; allowed: store, principal, scope/],
  [{ store: memoryStore(), scope: 'global', lease: '30' }, /option "lease" is "30"; allowed: a duration such as/],
  [{ store: memoryStore(), scope: 'global', lease: '2h' }, /option "lease" is "2h"; allowed: .*from 100ms to 1h/],
])('wrong options are errors at start: %j', (wrong, message) => {
  expect(() => idempotent(wrong as never)).toThrow(message)
})
