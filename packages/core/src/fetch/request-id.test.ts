import { expect, test } from 'vitest'
import { memoryStore } from '../idempotency/index.js'
import { getRequestId } from '../request-id/index.js'
import { createTraceContext, outgoingFields } from '../trace/index.js'
import { idempotent } from './idempotent.js'
import { withRequestId } from './request-id.js'
import { requestIdentityOf } from './request-identity.js'

const ask = (id?: string) => new Request('http://test/', { ...(id !== undefined && { headers: { 'x-request-id': id } }) })

test('the id is in the response, in the context and with the request', async () => {
  const fetch = withRequestId({ generate: () => 'made-id-1' }, (request) => Response.json([getRequestId(), requestIdentityOf(request)]))
  const response = await fetch(ask('client-id-1'))
  expect(response.headers.get('x-request-id')).toBe('made-id-1')
  expect(await response.json()).toEqual(['made-id-1', { id: 'made-id-1', origin: 'new', clientId: 'client-id-1' }])
})

test('a trusted id is taken; two fields are one list, which is no id', async () => {
  const fetch = withRequestId({ trust: true, generate: () => 'made-id-1' }, () => new Response())
  expect((await fetch(ask('edge-made-1'))).headers.get('x-request-id')).toBe('edge-made-1')
  expect((await fetch(ask('edge-made-1, edge-made-2'))).headers.get('x-request-id')).toBe('made-id-1')
})

test('a response whose fields are locked, and one that all requests share', async () => {
  const shared = new Response(null, { status: 204 })
  let made = 0
  const fetch = withRequestId({ generate: () => `made-id-${++made}` }, (request) => (request.method === 'GET' ? shared : Response.redirect('http://test/')))
  const [first, second] = [await fetch(ask()), await fetch(ask())]
  expect([first.headers.get('x-request-id'), second.headers.get('x-request-id'), shared.headers.get('x-request-id')]).toEqual(['made-id-1', 'made-id-2', null])
  expect((await fetch(new Request('http://test/', { method: 'POST' }))).headers.get('x-request-id')).toBe('made-id-3')
})

test('around a protected handler: each answer has its own id, a replay the first one\'s beside it', async () => {
  let made = 0
  const protect = idempotent({ store: memoryStore(), scope: 'global' })
  const fetch = withRequestId({ generate: () => `made-id-${++made}` }, protect((request) => new Response(requestIdentityOf(request)?.id)))
  const post = () => fetch(new Request('http://test/', { method: 'POST', body: 'x', headers: { 'idempotency-key': 'k' } }))
  const [first, second] = [await post(), await post()]
  expect([await first.text(), first.headers.get('x-request-id')]).toEqual(['made-id-1', 'made-id-1'])
  expect([await second.text(), second.headers.get('x-request-id'), second.headers.get('x-original-request-id')]).toEqual(['made-id-1', 'made-id-2', 'made-id-1'])
})

test('what the platform gives besides is handed on', async () => {
  const fetch = withRequestId(undefined, (_request, env: { name: string }) => new Response(env.name))
  expect(await (await fetch(ask(), { name: 'prod' })).text()).toBe('prod')
})

test('with a trace context, the trace that came is continued', async () => {
  const fetch = withRequestId({ trace: createTraceContext() }, () => Response.json(Object.fromEntries(outgoingFields())))
  const response = await fetch(new Request('http://test/', { headers: { traceparent: '00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01' } }))
  expect(await response.json()).toMatchObject({
    'x-request-id': response.headers.get('x-request-id'),
    traceparent: expect.stringMatching(/^00-0af7651916cd43dd8448eb211c80319c-[0-9a-f]{16}-01$/) as string,
  })
})
