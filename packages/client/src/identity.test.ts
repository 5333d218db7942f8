import { createTraceContext, runInContext } from '@hopwise/core'
import { afterEach, describe, expect, onTestFinished, test } from 'vitest'
import { bindings } from './testing/bindings.js'
import { ok, startFaultServer, type FaultServer } from './testing/fault-server.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})
const uuid = /^[\da-f]{8}-[\da-f]{4}-[1-8][\da-f]{3}-[89ab][\da-f]{3}-[\da-f]{12}$/

describe.each(bindings)('$name', (binding) => {
  /** A server that answers 503 twice, and a client that trusts it or not. */
  async function open(trusted: boolean, more: Parameters<typeof binding.open>[0] = {}) {
    const server: FaultServer = await startFaultServer(({ before }) => (before < 2 ? { status: 503 } : ok))
    const client = await binding.open({ random: () => 0, trustedOrigins: trusted ? [server.origin] : [], ...more })
    closing.push(() => client.close(), () => server.close())
    const values = (name: string): unknown[] => server.seen.map(({ fields }) => fields[name])
    return { server, client, values }
  }

  test.each(['POST', 'PATCH'])('a key is made for %s to a trusted origin, and is the same on each attempt', async (method) => {
    const { server, client, values } = await open(true)
    expect(await client.send(`${server.origin}/x`, { method, body: 'tea' })).toMatchObject({ status: 200 })
    expect(values('idempotency-key')).toHaveLength(3)
    expect(new Set(values('idempotency-key')).size).toBe(1)
    expect(values('idempotency-key')[0]).toMatch(uuid)
  })

  test('two calls have two keys', async () => {
    const { server, client, values } = await open(true, { retry: false })
    await client.send(`${server.origin}/x`, { method: 'POST', body: 'tea' })
    await client.send(`${server.origin}/x`, { method: 'POST', body: 'tea' })
    expect(new Set(values('idempotency-key')).size).toBe(2)
  })

  test('a key is made where there is no randomUUID, as on a page of a browser that is no secure context', async () => {
    const { server, client, values } = await open(true)
    Object.defineProperty(crypto, 'randomUUID', { value: undefined, configurable: true })
    onTestFinished(() => void Reflect.deleteProperty(crypto, 'randomUUID'))
    await client.send(`${server.origin}/x`, { method: 'POST', body: 'tea' })
    expect(values('idempotency-key')[0]).toMatch(uuid)
  })

  test('no key is made for another origin, and the POST is sent once', async () => {
    const { server, client, values } = await open(false)
    expect(await client.send(`${server.origin}/x`, { method: 'POST', body: 'tea' })).toMatchObject({ status: 503 })
    expect(values('idempotency-key')).toEqual([undefined])
  })

  test('no key is made for a method that needs none, nor where none is wanted', async () => {
    const trusted = await open(true)
    await trusted.client.send(`${trusted.server.origin}/x`, { method: 'PUT', body: 'tea' })
    expect(trusted.values('idempotency-key')).toEqual([undefined, undefined, undefined])
    const unwanted = await open(true, { idempotencyKey: 'none' })
    await unwanted.client.send(`${unwanted.server.origin}/x`, { method: 'POST', body: 'tea' })
    expect(unwanted.values('idempotency-key')).toEqual([undefined])
  })

  test('a function makes the key, once for a call, for trusted origins only', async () => {
    const asked: string[] = []
    const maker = ({ method, url }: { method: string; url: URL }): string => `${method}-${url.pathname}-${asked.push(url.href)}`
    const { server, client, values } = await open(true, { idempotencyKey: maker })
    await client.send(`${server.origin}/x`, { method: 'POST', body: 'tea' })
    expect(values('idempotency-key')).toEqual(['POST-/x-1', 'POST-/x-1', 'POST-/x-1'])
    const other = await open(false, { idempotencyKey: maker })
    await other.client.send(`${other.server.origin}/x`, { method: 'POST', body: 'tea' })
    expect(asked).toHaveLength(1)
  })

  test("the caller's key stays, for any origin, in a field of another name as well", async () => {
    const { server, client, values } = await open(false, { idempotencyKeyHeader: 'X-Idempotency-Key' })
    expect(await client.send(`${server.origin}/x`, { method: 'POST', body: 'tea', headers: { 'x-idempotency-key': 'mine' } })).toMatchObject({ status: 200 })
    expect(values('x-idempotency-key')).toEqual(['mine', 'mine', 'mine'])
  })

  test('a request id is the same on each attempt, and new with each call', async () => {
    const { server, client, values } = await open(false)
    await client.send(`${server.origin}/x`)
    await client.send(`${server.origin}/y`)
    const [first, second, third, other] = values('x-request-id')
    expect(first).toMatch(uuid)
    expect([second, third]).toEqual([first, first])
    expect(other).not.toBe(first)
  })

  test('is that of the request on whose behalf the call is made; the trace goes to trusted origins only', async () => {
    const trace = createTraceContext().resolve((name) => (name === 'traceparent' ? ['00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01'] : name === 'baggage' ? ['user=1'] : []))
    const context = { requestId: { id: 'request-12345', origin: 'new' as const }, trace }
    const trusted = await open(true)
    await runInContext(context, () => trusted.client.send(`${trusted.server.origin}/x`))
    expect(trusted.values('x-request-id')).toEqual(['request-12345', 'request-12345', 'request-12345'])
    expect(new Set(trusted.values('traceparent')).size).toBe(1)
    expect(trusted.values('traceparent')[0]).toMatch(/^00-4bf92f3577b34da6a3ce929d0e0e4736-[\da-f]{16}-01$/)
    expect(trusted.values('baggage')[0]).toBe('user=1')
    const other = await open(false)
    await runInContext(context, () => other.client.send(`${other.server.origin}/x`, { headers: { 'X-Request-Id': 'mine-12345' } }))
    expect(other.values('x-request-id')).toEqual(['mine-12345', 'mine-12345', 'mine-12345'])
    expect([other.values('traceparent')[0], other.values('baggage')[0]]).toEqual([undefined, undefined])
  })
})
