import { Hono } from 'hono'
import { describe, expect, test } from 'vitest'
import { policy, type PolicyHop } from './index.js'

function appOf(hop: () => PolicyHop | undefined, ...health: Parameters<typeof policy> extends [unknown, ...infer R] ? R : never) {
  const app = new Hono()
  app.use(policy(hop, ...health))
  app.get('/orders', (c) => c.text('orders'))
  return app
}

const asked = async (app: Hono, path: string, method = 'GET') => {
  const response = await app.request(path, { method })
  return [response.status, await response.text(), response.headers.get('connection')]
}

describe('policy()', () => {
  test('without a hop yet, the service is ready', async () => {
    const app = appOf(() => undefined)
    expect(await asked(app, '/readyz')).toEqual([200, '{"status":"ready"}', null])
    expect(await asked(app, '/livez')).toEqual([200, '{"status":"alive"}', null])
    expect(await asked(app, '/orders')).toEqual([200, 'orders', null])
  })

  test('a drain turns readiness off, leaves liveness on, and says close on every answer', async () => {
    const hop = { ready: true, closing: false }
    const app = appOf(() => hop)
    expect(await asked(app, '/readyz')).toEqual([200, '{"status":"ready"}', null])
    Object.assign(hop, { ready: false, closing: true })
    expect(await asked(app, '/readyz?verbose')).toEqual([503, '{"status":"draining"}', 'close'])
    expect(await asked(app, '/livez')).toEqual([200, '{"status":"alive"}', 'close'])
    expect(await asked(app, '/orders')).toEqual([200, 'orders', 'close'])
    expect(await asked(app, '/nothing')).toEqual([404, '404 Not Found', 'close'])
  })

  test('a hop that says close itself is not helped', async () => {
    expect(await asked(appOf(() => ({ ready: false })), '/orders')).toEqual([200, 'orders', null])
  })

  test('HEAD has no body, other methods are refused, and paths are yours', async () => {
    const app = appOf(() => undefined, { readiness: '/up', liveness: false, check: () => false })
    expect(await asked(app, '/up', 'HEAD')).toEqual([503, '', null])
    expect(await asked(app, '/up', 'POST')).toEqual([405, '', null])
    expect(await asked(app, '/up')).toEqual([503, '{"status":"not-ready"}', null])
    expect(await asked(app, '/livez')).toEqual([404, '404 Not Found', null])
  })

  test('a wrong option is named', () => {
    expect(() => appOf(() => undefined, { path: '/up' } as never)).toThrow(/health.*path.*readiness, liveness/)
  })
})
