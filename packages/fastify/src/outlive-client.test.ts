import { Readable } from 'node:stream'
import fastifyCompress from '@fastify/compress'
import { rawConnect } from '@hopwise/testkit/adapter'
import { fastify, type FastifyReply } from 'fastify'
import { describe, expect, test } from 'vitest'
import { idempotency } from './index.js'
import { deferred, listen, options, post, postText, protectedRoute } from './testing/service.js'

// A client that is gone gets nothing, but its retry does: what Fastify would have sent.

/** A request whose client goes away while the handler runs; gives the answer to its retry. */
async function retryOf(leave: 'closes' | 'resets', handler: (reply: FastifyReply) => unknown, compressed = false) {
  const [began, gone, completed] = [deferred(), deferred(), deferred()]
  let runs = 0
  const app = fastify()
  if (compressed) await app.register(fastifyCompress, { threshold: 0 })
  await app.register(idempotency, options())
  app.idempotency.on('completed', () => completed.resolve())
  app.post('/orders', protectedRoute, async (request, reply) => {
    runs++
    request.raw.socket.once('close', () => gone.resolve())
    began.resolve()
    await gone.promise
    return handler(reply)
  })
  const port = await listen(app)
  const client = await rawConnect(port)
  client.write(postText('/orders'))
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
  test.each<[string, (reply: FastifyReply) => unknown, number, string]>([
    ['a text', () => 'tea', 200, 'tea'],
    ['JSON by reply.send', (reply) => reply.send({ tea: 1 }), 200, '{"tea":1}'],
    ['a stream', () => slowly(), 200, 'one;two'],
    ['a web stream', () => Readable.toWeb(slowly()), 200, 'one;two'],
    ['a Response', () => new Response(ReadableStream.from(['one;', 'two'].map((part) => new TextEncoder().encode(part))), { status: 201 }), 201, 'one;two'],
    ['nothing but a status', (reply) => void reply.code(204), 204, ''],
    ['an error', () => {
      throw Object.assign(new Error('no tea'), { statusCode: 402 })
    }, 402, '{"statusCode":402,"error":"Payment Required","message":"no tea"}'],
  ])('is answered, when it comes again, with %s', async (_what, handler, status, body) => {
    expect(await retryOf(leave, handler)).toEqual([status, body, 'true', 1])
  })

  test('is answered, when it comes again, with a stream that compression had let through', async () => {
    expect(await retryOf(leave, (reply) => reply.type('text/plain').send(slowly()), true)).toEqual([200, 'one;two', 'true', 1])
  })
})

test('a client that goes away in the middle of a web stream gets the whole of it on its retry', async () => {
  const [gone, completed] = [deferred(), deferred()]
  const app = fastify()
  await app.register(idempotency, options())
  app.idempotency.on('completed', () => completed.resolve())
  app.post('/orders', protectedRoute, async ({ raw }) => {
    raw.socket.once('close', () => gone.resolve())
    return ReadableStream.from((async function* () {
      yield Buffer.from('one;')
      await gone.promise
      yield Buffer.from('two')
    })())
  })
  const port = await listen(app)
  const client = await rawConnect(port)
  client.write(postText('/orders'))
  for (let seen = ''; !seen.includes('one;'); ) seen = await client.bytes(seen.length + 1)
  client.destroy()
  await completed.promise
  expect((await post(port, '/orders')).body.toString()).toBe('one;two')
})
