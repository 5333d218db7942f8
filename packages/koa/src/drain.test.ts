import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { rawConnect, requestText } from '@hopwise/testkit/adapter'
import { expect, test } from 'vitest'
import { attach, idempotent, requestId } from './index.js'
import { deferred, options, postText, silentApp } from './testing/service.js'

test('a drain waits for a protected handler, answers health checks in front of Koa, and ends a long-lived answer', async () => {
  const [began, more, streaming] = [deferred(), deferred(), deferred()]
  const app = silentApp()
  app.use(requestId())
  app.use(async (context, next) => {
    if (context.path !== '/events') return next()
    context.respond = false
    context.res.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: hello\n\n')
    hop.drainSignal(context.req).addEventListener('abort', () => context.res.end('data: bye\n\n'))
    streaming.resolve()
  })
  app.use(idempotent(options())).use(async (context) => {
    began.resolve()
    await more.promise
    context.body = 'tea'
  })
  const listener = app.callback()
  const server = createServer((request, response) => health(request, response, () => void listener(request, response)))
  const hop = attach(server, { drain: { idleGrace: '50ms', deadline: '10s', streamSpread: 0 } })
  const health = hop.health()
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const [order, probe, events] = [await rawConnect(port), await rawConnect(port), await rawConnect(port)]
  order.write(postText('/orders'))
  events.write(requestText('GET', '/events', {}))
  await Promise.all([began.promise, streaming.promise])
  const drained = hop.drain()
  probe.write(requestText('GET', '/readyz', {}))
  expect((await probe.response()).status).toBe(503)
  expect((await events.response()).body.toString()).toBe('data: hello\n\ndata: bye\n\n')
  more.resolve()
  const response = await order.response()
  expect([response.body.toString(), response.field('connection')]).toEqual(['tea', 'close'])
  expect((await drained).closed.forced).toBe(0)
})
