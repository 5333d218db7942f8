import { once } from 'node:events'
import type { AddressInfo } from 'node:net'
import { serve } from '@hono/node-server'
import { memoryStore } from '@hopwise/core'
import { rawConnect, requestText } from '@hopwise/testkit/adapter'
import { Hono } from 'hono'
import { expect, test } from 'vitest'
import { idempotent, requestId } from './index.js'
import { attach } from './node.js'

test('on @hono/node-server: the chain\'s timeouts, and a drain that answers what runs', async () => {
  let reached: () => void = () => {}
  const running = new Promise<void>((resolve) => {
    reached = resolve
  })
  let open: () => void = () => {}
  const opened = new Promise<void>((resolve) => {
    open = resolve
  })
  const app = new Hono().use(requestId()).post('/orders', idempotent({ store: memoryStore(), scope: 'global' }), async (c) => {
    reached()
    await opened
    return c.json({ id: 1 }, 201)
  })
  const server = serve({ fetch: app.fetch, hostname: '127.0.0.1', port: 0 })
  const hop = attach(server, { chain: ['alb', 'nginx'], drain: { mode: 'refuse-first' } })
  if (!server.listening) await once(server, 'listening')
  const client = await rawConnect((server.address() as AddressInfo).port)
  client.write(requestText('POST', '/orders', { 'idempotency-key': 'k' }, '{}'))
  await running
  const report = hop.drain()
  hop.on('phase', ({ phase }) => {
    if (phase === 'draining') open()
  })
  const response = await client.response()
  expect([response.status, response.body.toString(), response.field('connection')]).toEqual([201, '{"id":1}', 'close'])
  expect(await client.closed()).toBe('end')
  client.destroy()
  expect([(server as { keepAliveTimeout?: number }).keepAliveTimeout, (await report).closed.forced, hop.ready]).toEqual([65_000, 0, false])
})
