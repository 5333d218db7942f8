import { rawConnect, rawRequest, requestText, type RawResponse } from '@hopwise/testkit/adapter'
import { startNginx } from '@hopwise/testkit/components'
import { describe, expect, onTestFinished, test } from 'vitest'
import { startApi, temporaryDatabase, textOf, type Api } from './testing/start-api.js'

interface Sent {
  readonly key?: string | undefined
  readonly user?: string
  readonly body?: string
  readonly fields?: Readonly<Record<string, string>>
}

const orderText = ({ key = 'key-1', user = 'alice', body = '{"item":"tea","quantity":2}', fields = {} }: Sent = {}) =>
  requestText('POST', '/v1/orders', { ...(key !== '' && { 'idempotency-key': key }), authorization: `Bearer token-of-${user}`, 'content-type': 'application/json', ...fields }, body)
const getText = (path: string, user = 'alice') => requestText('GET', path, { authorization: `Bearer token-of-${user}` })

const post = (port: number, sent?: Sent): Promise<RawResponse> => rawRequest(port, orderText(sent))
const get = (port: number, path: string): Promise<RawResponse> => rawRequest(port, getText(path))
const json = (response: RawResponse): Record<string, unknown> => JSON.parse(response.body.toString()) as Record<string, unknown>
const problem = (response: RawResponse) => [response.status, response.field('content-type')?.split(';')[0], json(response)['title']]

async function ordersOf(port: number, user = 'alice'): Promise<readonly { readonly item: string }[]> {
  return JSON.parse((await rawRequest(port, getText('/v1/orders', user))).body.toString()) as { item: string }[]
}

describe.each(['express', 'fastify'] as const)('on %s', (platform) => {
  test('an order that is sent twice is one order, and the second answer has the bytes of the first', async () => {
    const { port } = await startApi(platform, temporaryDatabase())
    const [first, second] = [await post(port), await post(port)]
    expect([first.status, json(first)]).toEqual([201, { id: 1, item: 'tea', quantity: 2, request: first.field('x-request-id') }])
    expect([second.status, second.body.equals(first.body), second.field('content-type'), second.field('idempotent-replayed')]).toEqual([201, true, first.field('content-type'), 'true'])
    expect(second.field('x-request-id')).not.toBe(first.field('x-request-id'))
    expect(await ordersOf(port)).toHaveLength(1)
  })

  test('the same key of another user is another order', async () => {
    const { port } = await startApi(platform, temporaryDatabase())
    const [alice, bob] = [await post(port), await post(port, { user: 'bob' })]
    expect([json(alice)['id'], json(bob)['id'], bob.field('idempotent-replayed')]).toEqual([1, 2, undefined])
    expect([await ordersOf(port), await ordersOf(port, 'bob')]).toEqual([[json(alice)], [json(bob)]])
  })

  test('what is refused is a problem document, whoever refuses it', async () => {
    const { port } = await startApi(platform, temporaryDatabase())
    expect(problem(await post(port, { key: '' }))).toEqual([400, 'application/problem+json', expect.any(String)])
    await post(port)
    expect(problem(await post(port, { body: '{"item":"coffee","quantity":2}' }))).toEqual([422, 'application/problem+json', expect.any(String)])
    expect(problem(await post(port, { user: 'mallory' }))).toEqual([401, 'application/problem+json', 'Unauthorized'])
    const invalid = await post(port, { key: 'key-2', body: '{"item":"tea","quantity":0}' })
    expect([...problem(invalid), json(invalid)['detail']]).toEqual([400, 'application/problem+json', 'Bad Request', 'quantity must not be less than 1'])
    expect(problem(await get(port, '/v2/orders'))).toEqual([404, 'application/problem+json', 'Not Found'])
    expect(await ordersOf(port)).toHaveLength(1)
  })

  test.each(['nest', 'pino'] as const)('lines of a request have its id and its trace, those of the application have none: %s', async (logger) => {
    const { port, line, lines } = await startApi(platform, temporaryDatabase(), { logger })
    const response = await post(port, { fields: { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01' } })
    const ofOrder = await line((one) => textOf(one) === 'order 1 of alice')
    expect(ofOrder).toMatchObject({ context: 'OrdersService', requestId: response.field('x-request-id'), traceId: '4bf92f3577b34da6a3ce929d0e0e4736', spanId: expect.stringMatching(/^[0-9a-f]{16}$/) })
    if (logger === 'pino') expect(await line((one) => textOf(one) === 'request completed')).toMatchObject({ requestId: response.field('x-request-id'), req: { headers: { authorization: '[Redacted]' } } })
    const started = lines.filter(({ context }) => context !== 'OrdersService' && context !== undefined)
    expect(started.length).toBeGreaterThan(5)
    for (const one of started) expect(Object.keys(one)).not.toContain('requestId')
  })

  test('the OpenAPI document has the field of the key and the refusals', async () => {
    const { port } = await startApi(platform, temporaryDatabase())
    const { paths } = json(await get(port, '/docs-json')) as { paths: Record<string, Record<string, { parameters: object[]; responses: object }>> }
    const create = paths['/v1/orders']?.['post']
    expect(create?.parameters).toEqual([expect.objectContaining({ in: 'header', name: 'Idempotency-Key', required: true })])
    expect(Object.keys(create?.responses ?? {}).toSorted()).toEqual(['201', '400', '409', '422', '503'])
  })

  test('while it drains, readiness is 503 and liveness is 200; the order that was under way is answered; the process ends with 0', async () => {
    const api = await startApi(platform, temporaryDatabase(), { paused: true })
    const checks = ['/health', '/readyz', '/livez']
    const connections = await Promise.all([...checks, 'order'].map(() => rawConnect(api.port)))
    for (const [index, path] of checks.entries()) {
      connections[index]?.write(getText(path))
      expect((await connections[index]?.response())?.status).toBe(200)
    }
    const order = connections.at(-1)
    order?.write(orderText())
    expect(await api.message()).toBe('inserted')
    const ended = api.end('SIGTERM')
    await api.line((line) => textOf(line) === 'draining')
    const statuses: unknown[] = []
    for (const [index, path] of checks.entries()) {
      connections[index]?.write(getText(path))
      const response = await connections[index]?.response()
      statuses.push([path, response?.status, response?.field('connection')])
      if (path === '/health') expect(json(response as RawResponse)).toMatchObject({ status: 'error', error: { hopwise: { status: 'down', phase: 'draining' } } })
    }
    expect(statuses).toEqual([['/health', 503, 'close'], ['/readyz', 503, 'close'], ['/livez', 200, 'close']])
    api.child.send('go on')
    const answer = await order?.response()
    expect([answer?.status, answer?.field('connection')]).toEqual([201, 'close'])
    for (const connection of connections) connection.destroy()
    expect(await ended).toEqual({ code: 0, signal: null })
  })

  test('killed in the middle of a handler: its order is gone with it, and the retry makes exactly one', async () => {
    const database = temporaryDatabase()
    const first = await startApi(platform, database, { paused: true })
    const lost = post(first.port).then(({ status }) => `answered ${status}`, (error: Error) => error.message)
    expect(await first.message()).toBe('inserted')
    expect(await first.end('SIGKILL')).toEqual({ code: null, signal: 'SIGKILL' })
    expect(await lost).toContain('the connection ended')
    const { port } = await startApi(platform, database)
    expect(await ordersOf(port)).toEqual([])
    const [retry, again] = [await post(port), await post(port)]
    expect([retry.status, retry.field('idempotent-replayed'), again.field('idempotent-replayed'), again.body.equals(retry.body)]).toEqual([201, undefined, 'true', true])
    expect(await ordersOf(port)).toEqual([json(retry)])
  })

  test('behind nginx: an instance that is stopped during a slow order answers it, and nothing that comes later is lost', async () => {
    const database = temporaryDatabase()
    const instances = await Promise.all([startApi(platform, database, { paused: true }), startApi(platform, database, { paused: true })])
    const nginx = await startNginx([{ name: 'orders', upstreamPorts: instances.map(({ port }) => port) }])
    onTestFinished(() => nginx.stop())
    const port = nginx.ports['orders'] ?? 0

    const slow = post(port, { key: 'slow' })
    const stopped = await Promise.race(instances.map(async (instance): Promise<Api> => {
      await instance.message()
      return instance
    }))
    const left = instances.find((instance) => instance !== stopped)
    const ended = stopped.end('SIGTERM')
    await stopped.line((line) => textOf(line) === 'draining')
    const during = await Promise.all(Array.from({ length: 20 }, () => get(port, '/v1/orders')))
    expect(during.map(({ status }) => status)).toEqual(during.map(() => 200))
    stopped.child.send('go on')
    expect((await slow).status).toBe(201)

    // Orders of the instance that is left are told to go on at once.
    left?.child.on('message', () => left.child.send('go on'))
    stopped.child.on('message', () => stopped.child.send('go on'))
    const later: number[] = []
    let over = false
    const exit = ended.finally(() => {
      over = true
    })
    while (!over) later.push((await post(port, { key: `later-${later.length}` })).status)
    later.push((await post(port, { key: `later-${later.length}` })).status)
    expect(later.filter((status) => status !== 201)).toEqual([])
    expect(await exit).toEqual({ code: 0, signal: null })
    // A page of the list has 100.
    expect(await ordersOf(port)).toHaveLength(Math.min(100, later.length + 1))
  })
})
