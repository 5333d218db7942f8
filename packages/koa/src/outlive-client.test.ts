import { PassThrough, Readable } from 'node:stream'
import { getRequestId } from '@hopwise/core'
import { rawConnect } from '@hopwise/testkit/adapter'
import Koa, { type Context, type Middleware } from 'koa'
import compress from 'koa-compress'
import { describe, expect, test } from 'vitest'
import { idempotent, requestId } from './index.js'
import { deferred, listen, options, post, postText, silentApp } from './testing/service.js'

// A client that is gone gets nothing, but its retry does: what Koa would have sent.

interface Case {
  readonly write: (context: Context) => unknown
  readonly around?: Middleware
  /** How the client goes: by closing its connection, or by resetting it. */
  readonly leave: 'closes' | 'resets'
}

/** A request whose client goes away while the handler runs; gives the answer to its retry. */
async function retryOf({ write, around, leave }: Case) {
  const [began, gone, completed] = [deferred(), deferred(), deferred()]
  const protect = idempotent(options())
  protect.on('completed', () => completed.resolve())
  let runs = 0
  const app = silentApp()
  if (around !== undefined) app.use(around)
  app.use(protect).use(async (context) => {
    runs++
    began.resolve()
    context.req.socket.once('close', () => gone.resolve())
    await gone.promise
    write(context)
  })
  const port = await listen(app)
  const client = await rawConnect(port)
  client.write(postText('/orders', { 'accept-encoding': 'identity' }))
  await began.promise
  if (leave === 'resets') client.socket.resetAndDestroy()
  else client.destroy()
  await completed.promise
  const retry = await post(port, '/orders')
  return [retry.status, retry.body.toString(), retry.field('idempotent-replayed'), runs]
}

const slowly = () => Readable.from((async function* () {
  yield Buffer.from('one;')
  await new Promise(setImmediate)
  yield Buffer.from('two')
})())

describe.each(['closes', 'resets'] as const)('a client that %s its connection while the handler runs', (leave) => {
  test.each<[string, (context: Context) => unknown, number, string]>([
    ['a text', (context) => (context.body = 'tea'), 200, 'tea'],
    ['JSON', (context) => (context.body = { tea: 1 }), 200, '{"tea":1}'],
    ['a stream', (context) => (context.body = slowly()), 200, 'one;two'],
    ['a stream that is a pipe', (context) => (context.body = slowly().pipe(new PassThrough())), 200, 'one;two'],
    ['a web stream', (context) => (context.body = Readable.toWeb(slowly())), 200, 'one;two'],
    ['a Response', (context) => (context.body = new Response('tea', { status: 201 })), 201, 'tea'],
    ['only a status', (context) => (context.status = 202), 202, 'Accepted'],
    ['an error', () => {
      throw Object.assign(new Error('no tea'), { status: 402, expose: true })
    }, 402, 'no tea'],
  ])('is answered, when it comes again, with %s', async (_what, write, status, body) => {
    expect(await retryOf({ write, leave })).toEqual([status, body, 'true', 1])
  })

  test('is answered, when it comes again, with what compression outside had let through', async () => {
    expect(await retryOf({ around: compress({ threshold: 0 }) as Middleware, write: (context) => (context.body = slowly()), leave })).toEqual([200, 'one;two', 'true', 1])
  })
})

test('the error of the client\'s own connection is told to the app once, and is no result', async () => {
  const [began, told] = [deferred(), deferred<NodeJS.ErrnoException>()]
  const app = silentApp()
  app.on('error', (error: NodeJS.ErrnoException) => told.resolve(error))
  app.use(idempotent(options())).use(async (context) => {
    began.resolve()
    await told.promise
    context.body = 'tea'
  })
  const port = await listen(app)
  const client = await rawConnect(port)
  client.write(postText('/orders'))
  await began.promise
  client.socket.resetAndDestroy()
  expect((await told.promise).code).toBe('ECONNRESET')
})

test('a body that is replaced is destroyed, as Koa does it', async () => {
  const first = slowly()
  const app = silentApp()
  app.use(idempotent(options())).use((context) => {
    context.body = first
    context.body = 'tea'
  })
  expect((await post(await listen(app), '/orders')).body.toString()).toBe('tea')
  expect(first.destroyed).toBe(true)
})

test('middleware outside is not left waiting for a request that broke off', async () => {
  const over = deferred<unknown>()
  const app = silentApp()
  app.use(requestId()).use(async (_context, next) => {
    try {
      await next()
    } catch (error) {
      over.resolve([(error as Error).name, (error as { status?: number }).status, getRequestId() !== undefined])
      throw error
    }
  })
  app.use(idempotent(options())).use((context) => void (context.body = 'tea'))
  const client = await rawConnect(await listen(app))
  client.write(postText('/orders').subarray(0, -3))
  // The header has arrived by the time that Node asks for the rest.
  client.socket.end()
  expect(await over.promise).toEqual(['RequestAborted', 400, true])
})

test('a Koa that the middleware does not protect does what it did', async () => {
  const app: Koa = silentApp()
  app.use(idempotent({ ...options(), required: false })).use((context) => void (context.body = 'tea'))
  const port = await listen(app)
  expect((await post(port, '/orders', { 'idempotency-key': 'key-2' })).body.toString()).toBe('tea')
})
