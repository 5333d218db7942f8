import { HopwiseError, memoryStore } from '@hopwise/core'
import { fastify } from 'fastify'
import { describe, expect, test } from 'vitest'
import { idempotency, requestId } from './index.js'
import { listen, options, post, protectedRoute } from './testing/service.js'

const tea = async () => 'tea'

/** What starting an app comes to. */
async function failure(start: () => PromiseLike<unknown>): Promise<unknown> {
  try {
    await start()
  } catch (error) {
    return error
  }
  return undefined
}

describe('options hold for a scope', () => {
  test('the nearest registration counts, whatever lies around it', async () => {
    const seen: string[] = []
    const app = fastify()
    await app.register(idempotency, { ...options(), header: 'outer-key' })
    app.idempotency.on('claimed', () => seen.push('outer'))
    app.post('/outer', protectedRoute, tea)
    void app.register(async (scope) => {
      await scope.register(idempotency, { ...options(), header: 'inner-key' })
      scope.idempotency.on('claimed', () => seen.push('inner'))
      scope.post('/inner', protectedRoute, tea)
      void scope.register(async (deeper) => void deeper.post('/deeper', protectedRoute, tea))
    })
    void app.register(async (scope) => void scope.post('/beside', protectedRoute, tea))
    const port = await listen(app)
    for (const path of ['/outer', '/inner', '/deeper', '/beside']) {
      const [right, wrong] = ['/outer', '/beside'].includes(path) ? ['outer-key', 'inner-key'] : ['inner-key', 'outer-key']
      expect([path, (await post(port, path, { [String(right)]: 'k' })).status, (await post(port, path, { [String(wrong)]: 'k' })).status]).toEqual([path, 200, 400])
    }
    expect(seen).toEqual(['outer', 'inner', 'inner', 'outer'])
  })

  test('a route takes them with others of its own', async () => {
    const app = fastify()
    await app.register(idempotency, options())
    app.post('/orders', { config: { idempotent: { required: false } } }, tea)
    app.post('/plain', tea)
    app.post('/off', { config: { idempotent: false } }, tea)
    const port = await listen(app)
    for (const path of ['/orders', '/plain', '/off']) {
      expect((await post(port, path, { 'idempotency-key': '' })).status).toBe(path === '/orders' ? 400 : 200)
      expect((await post(port, path)).field('idempotent-replayed')).toBeUndefined()
      expect((await post(port, path)).field('idempotent-replayed')).toBe(path === '/orders' ? 'true' : undefined)
    }
  })

  test('a 404 and a scope beside it are not protected', async () => {
    const app = fastify()
    void app.register(async (scope) => void (await scope.register(idempotency, options())))
    void app.register(async (scope) => void scope.post('/orders', tea))
    const port = await listen(app)
    for (const path of ['/orders', '/nowhere', '/orders']) expect((await post(port, path)).field('idempotent-replayed')).toBeUndefined()
  })
})

describe('what is wrong is said', () => {
  test('twice in one scope is an error at start', async () => {
    const app = fastify()
    void app.register(idempotency, options())
    void app.register(idempotency, options())
    expect(await failure(() => app.ready())).toMatchObject({ code: 'mounted-twice' })
  })

  test('a route that was added before the plugin was there is an error at its first request, not unprotected', async () => {
    const app = fastify()
    void app.register(idempotency, options())
    let runs = 0
    app.post('/orders', protectedRoute, async () => ++runs)
    app.setErrorHandler((error: HopwiseError, _request, reply) => reply.code(500).send(`${error.code}: ${error.message}`))
    const response = await post(await listen(app), '/orders')
    expect(response.body.toString()).toMatch(/^option-invalid: POST \/orders is to be idempotent, but was added before the plugin/)
    expect(runs).toBe(0)
  })

  test.each([
    [{ idempotency: true }, 'option-unknown', 'POST /orders: unknown option "config.idempotency"; allowed: config.idempotent'],
    [{ idempotent: 'yes' }, 'option-invalid', 'POST /orders: option "config.idempotent" is "yes"; allowed: true, false, or options of the plugin'],
    [{ idempotent: 1 }, 'option-invalid', 'POST /orders: option "config.idempotent" is 1; allowed: true, false, or options of the plugin'],
    [{ idempotent: null }, 'option-invalid', 'POST /orders: option "config.idempotent" is null; allowed: true, false, or options of the plugin'],
    [{ idempotent: { leas: '1s' } }, 'option-unknown', expect.stringContaining('unknown option "leas"')],
  ])('a route whose config is %j is not left unprotected', async (config, code, message) => {
    const app = fastify()
    await app.register(idempotency, options())
    expect(await failure(async () => app.post('/orders', { config: config as never }, tea))).toMatchObject({ code, message })
  })

  test.each([
    [{}, /option "store" is required: an idempotency store, such as memoryStore\(\)/],
    [{ store: memoryStore() }, /option "principal" is required.*scope: "global"/],
    [{ store: {}, scope: 'global' }, /option "store" is an object; allowed: an idempotency store/],
    [{ store: memoryStore(), principal: 'alice' }, /option "principal" is "alice"; allowed: a function/],
    [{ store: memoryStore(), scope: 'global', leas: '30s' }, /unknown option "leas"; allowed: store, principal, scope/],
    [{ store: memoryStore(), scope: 'global', lease: '30' }, /option "lease" is "30"; allowed: a duration such as/],
    [{ store: memoryStore(), scope: 'global', lease: '2h' }, /option "lease" is "2h"; allowed: .*from 100ms to 1h/],
  ])('wrong options are errors at start: %j', async (wrong, message) => {
    const app = fastify()
    void app.register(idempotency, wrong as never)
    expect(await failure(() => app.ready())).toSatisfy((error) => error instanceof HopwiseError && message.test(error.message))
  })

  test('so are those of a route, and of request ids', async () => {
    const app = fastify()
    await app.register(idempotency, options())
    expect(() => app.post('/orders', { config: { idempotent: { lease: '2h' } } }, tea)).toThrow(/option "lease" is "2h"/)
    const other = fastify()
    void other.register(requestId, { trus: true } as never)
    expect(await failure(() => other.ready())).toMatchObject({ code: 'option-unknown' })
  })
})
