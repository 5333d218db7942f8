import type { AddressInfo } from 'node:net'
import { rawConnect, requestText } from '@hopwise/testkit/adapter'
import { fastify, type FastifyInstance, type FastifyServerOptions } from 'fastify'
import { expect, test } from 'vitest'
import { attach } from './index.js'
import { deferred } from './testing/service.js'

const policy = { drain: { idleGrace: '50ms', deadline: '10s' } } as const
const get = (path: string) => requestText('GET', path, {})

/** An app with a slow route, which records the order of what ends. */
function slowApp(order: string[], settings: FastifyServerOptions = {}) {
  const [began, more] = [deferred(), deferred()]
  const app = fastify(settings)
  app.addHook('preClose', async () => void order.push('preClose'))
  app.addHook('onClose', async () => void order.push('onClose'))
  app.get('/slow', async () => {
    began.resolve()
    await more.promise
    return 'slow'
  })
  app.get('/late', async () => 'late')
  return { app, began: began.promise, more: more.resolve }
}

async function start(app: FastifyInstance): Promise<number> {
  await app.listen({ port: 0, host: '127.0.0.1' })
  return (app.server.address() as AddressInfo).port
}

test('the drain first, then app.close(): what runs is answered, what comes on an open connection too, and hooks run last', async () => {
  const order: string[] = []
  const { app, began, more } = slowApp(order)
  const hop = attach(app.server, policy)
  const port = await start(app)
  const [slow, idle] = [await rawConnect(port), await rawConnect(port)]
  slow.write(get('/slow'))
  await began
  const listening = deferred()
  hop.on('phase', ({ phase }) => {
    if (phase === 'draining') listening.resolve()
  })
  const drained = hop.drain().then((report) => {
    order.push('drained')
    return report
  })
  await listening.promise
  idle.write(get('/late'))
  const late = await idle.response()
  expect([late.status, late.body.toString(), late.field('connection')]).toEqual([200, 'late', 'close'])
  more()
  expect((await slow.response()).body.toString()).toBe('slow')
  expect((await drained).closed.forced).toBe(0)
  await app.close()
  expect(order).toEqual(['drained', 'preClose', 'onClose'])
})

test.each([
  ['with return503OnClosing: false it loses nothing', false, 200],
  ['without that, Fastify refuses what the drain would serve', true, 503],
])('the drain as a preClose hook, for what calls app.close(): %s', async (_what, return503OnClosing, status) => {
  const order: string[] = []
  const { app, began, more } = slowApp(order, { return503OnClosing, pluginTimeout: 30_000 })
  const hop = attach(app.server, policy)
  app.addHook('preClose', async () => {
    const { closed } = await hop.drain()
    order.push(`drained, ${closed.forced} cut`)
  })
  const port = await start(app)
  const [slow, idle] = [await rawConnect(port), await rawConnect(port)]
  slow.write(get('/slow'))
  await began
  const closed = app.close()
  idle.write(get('/late'))
  expect((await idle.response()).status).toBe(status)
  more()
  expect((await slow.response()).body.toString()).toBe('slow')
  await closed
  expect(order).toEqual(['preClose', 'drained, 0 cut', 'onClose'])
})

test('health checks are answered by the hop, also during a drain', async () => {
  const { app, began, more } = slowApp([])
  const hop = attach(app.server, policy)
  const health = hop.health()
  app.addHook('onRequest', (request, reply, done) => health(request.raw, reply.raw, () => done()))
  const port = await start(app)
  const [slow, probe] = [await rawConnect(port), await rawConnect(port)]
  const ask = async (path: string) => {
    probe.write(get(path))
    return (await probe.response()).status
  }
  expect([await ask('/readyz'), await ask('/livez'), await ask('/late'), await ask('/nowhere')]).toEqual([200, 200, 200, 404])
  slow.write(get('/slow'))
  await began
  const drained = hop.drain()
  expect(await ask('/readyz')).toBe(503)
  more()
  expect((await drained).closed.forced).toBe(0)
  await app.close()
})
