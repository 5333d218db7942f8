import { memoryStore } from '@hopwise/core'
import { Hono } from 'hono'
import { hc } from 'hono/client'
import { createMiddleware } from 'hono/factory'
import { validator } from 'hono/validator'
import { expect, expectTypeOf, test } from 'vitest'
import { idempotent, requestId, type IdempotentRun, type IdempotentVariables, type RequestIdVariables } from './index.js'

interface AppEnv {
  Variables: { user: { id: string } }
}

const signIn = createMiddleware<AppEnv>(async (c, next) => {
  c.set('user', { id: 'alice' })
  await next()
})

const app = new Hono()
  .use(requestId())
  .post(
    '/orders/:id',
    signIn,
    idempotent<AppEnv>({ store: memoryStore(), principal: (c) => c.get('user').id }),
    validator('json', (value: { item: string }) => value),
    (c) => {
      expectTypeOf(c.get('requestId')).toEqualTypeOf<string>()
      expectTypeOf(c.var.idempotent).toEqualTypeOf<IdempotentRun | undefined>()
      expectTypeOf(c.var.user).toEqualTypeOf<{ id: string }>()
      expectTypeOf(c.req.param('id')).toEqualTypeOf<string>()
      return c.json({ id: c.req.param('id'), item: c.req.valid('json').item, attempt: c.var.idempotent?.attempt ?? 0 }, 201)
    },
  )

test('the RPC client knows path, input and answer, as without the middleware', async () => {
  const client = hc<typeof app>('http://test', { fetch: app.request })
  const send = client.orders[':id'].$post
  expectTypeOf<Parameters<typeof send>[0]>().toEqualTypeOf<{ param: { id: string } } & { json: { item: string } }>()
  const response = await send({ param: { id: '7' }, json: { item: 'tea' } }, { headers: { 'idempotency-key': 'k' } })
  expectTypeOf(response.status).toEqualTypeOf<201>()
  const answer = await response.json()
  expectTypeOf(answer).toEqualTypeOf<{ id: string; item: string; attempt: number }>()
  expect(answer).toEqual({ id: '7', item: 'tea', attempt: 1 })
})

test('the variables can be declared for an app that is not chained', async () => {
  const separate = new Hono<{ Variables: RequestIdVariables & IdempotentVariables }>()
  separate.use(requestId({ generate: () => 'made-id-1' }))
  separate.get('/', (c) => c.text(`${c.get('requestId')} ${String(c.get('idempotent'))}`))
  expect(await (await separate.request('/')).text()).toBe('made-id-1 undefined')
})

test('wrong options do not compile', () => {
  // @ts-expect-error Not an option.
  expect(() => idempotent({ store: memoryStore(), scope: 'global', leas: '30s' })).toThrow('leas')
  // @ts-expect-error A principal gives a text.
  idempotent({ store: memoryStore(), principal: () => 7 })
})
