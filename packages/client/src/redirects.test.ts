import { afterEach, expect, test } from 'vitest'
import { createClient } from './client.js'
import { ok, startFaultServer, type Fault, type FaultServer, type SeenRequest } from './testing/fault-server.js'

const closing: FaultServer[] = []
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close()
})
const start = async (decide: (request: SeenRequest) => Fault): Promise<FaultServer> => {
  const server = await startFaultServer(decide)
  closing.push(server)
  return server
}
const to = (location: string, status = 307): Fault => ({ status, fields: { location }, body: 'moved' })
const secrets = { authorization: 'Bearer x', cookie: 'a=1', 'x-api-key': 'x', 'idempotency-key': 'order-1' }

test('the key and the id go along on the same origin, and a repair on the way changes neither', async () => {
  const server = await start(({ target, before }) => (target === '/a' ? to('/b') : before === 0 ? { status: 503 } : ok))
  const client = createClient({ random: () => 0, trustedOrigins: [server.origin] })
  const response = await client(`${server.origin}/a`, { method: 'POST', body: 'tea' })
  expect([response.status, response.url, response.redirected]).toEqual([200, `${server.origin}/b`, true])
  expect(server.seen.map(({ target, body }) => [target, body.toString()])).toEqual([['/a', 'tea'], ['/b', 'tea'], ['/b', 'tea']])
  for (const name of ['idempotency-key', 'x-request-id']) expect(new Set(server.seen.map(({ fields }) => fields[name])).size).toBe(1)
  expect(server.seen[0]?.fields['idempotency-key']).toBeTypeOf('string')
})

test('no secret and no key crosses to another origin; without the key the POST is sent once there', async () => {
  const other = await start(() => 'fin')
  const server = await start(() => to(`${other.origin}/b`))
  const client = createClient({ random: () => 0, trustedOrigins: [server.origin, other.origin] })
  await expect(client(`${server.origin}/a`, { method: 'POST', body: 'tea', headers: secrets })).rejects.toMatchObject({ verdict: 'fresh-loss' })
  expect(other.count('/b')).toBe(1)
  for (const name of Object.keys(secrets)) expect(other.seen[0]?.fields).not.toHaveProperty(name)
  expect(other.seen[0]?.fields['x-request-id']).toBe(server.seen[0]?.fields['x-request-id'])
})

test.each([true, false])('the trace crosses to an origin that is trusted, and to no other: %s', async (isTrusted) => {
  const other = await start(() => ok)
  const server = await start(() => to(`${other.origin}/b`))
  const client = createClient({ trustedOrigins: isTrusted ? [other.origin] : [server.origin] })
  const trace = { traceparent: '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01', tracestate: 'vendor=1', baggage: 'user=1' }
  await client(`${server.origin}/a`, { headers: trace })
  expect(server.seen[0]?.fields).toMatchObject(trace)
  for (const [name, value] of Object.entries(trace)) expect(other.seen[0]?.fields[name]).toBe(isTrusted ? value : undefined)
})

test('what the bare fetch does: the key crosses', async () => {
  const other = await start(() => ok)
  const server = await start(() => to(`${other.origin}/b`))
  await fetch(`${server.origin}/a`, { method: 'POST', body: 'tea', headers: secrets })
  expect(other.seen[0]?.fields).toMatchObject({ 'idempotency-key': 'order-1', 'x-api-key': 'x' })
})

test('303 is a GET without a body and without the key', async () => {
  const server = await start(({ target }) => (target === '/a' ? to('/b', 303) : ok))
  await createClient()(`${server.origin}/a`, { method: 'POST', body: 'tea', headers: secrets })
  expect(server.seen[1]).toMatchObject({ method: 'GET', fields: { authorization: 'Bearer x' } })
  expect(server.seen[1]?.body.length).toBe(0)
  expect(server.seen[1]?.fields).not.toHaveProperty('idempotency-key')
  expect(server.seen[1]?.fields).not.toHaveProperty('content-type')
})

test("'manual' and 'error' are the runtime's", async () => {
  const server = await start(() => to('/b'))
  const client = createClient({ retry: false })
  expect(await client(`${server.origin}/a`, { redirect: 'manual' })).toMatchObject({ status: 307 })
  await expect(client(`${server.origin}/a`, { redirect: 'error' })).rejects.toThrow()
  expect(server.count('/b')).toBe(0)
})

test('a circle ends after 20 redirects', async () => {
  const server = await start(() => to('/a'))
  await expect(createClient()(`${server.origin}/a`)).rejects.toThrow('more than 20 redirects')
  expect(server.count('/a')).toBe(21)
})

test('a stream cannot follow where the body is asked for again: the redirect itself is handed over', async () => {
  const server = await start(() => to('/b'))
  const response = await createClient()(`${server.origin}/a`, { method: 'PUT', body: new Blob(['tea']).stream(), duplex: 'half' } as RequestInit)
  expect([response.status, server.count('/b')]).toEqual([307, 0])
})

test('in a browser, which shows no redirect, one with a key is refused, and one without is left to the browser', async () => {
  const { createClientOf } = await import('./client.js')
  const server = await start(({ target }) => (target === '/a' ? to('/b') : ok))
  const likeBrowser: typeof fetch = async (url, init) => {
    const response = await fetch(url, init)
    if (init?.redirect !== 'manual' || response.headers.get('location') === null) return response
    return Object.defineProperties(new Response(null), { type: { value: 'opaqueredirect' }, status: { value: 0 } })
  }
  const client = createClientOf({ fetch: likeBrowser }, { runtime: { resendsBytes: false, showsRedirects: false } })
  await expect(client(`${server.origin}/a`, { method: 'POST', body: 'tea', headers: secrets })).rejects.toMatchObject({ verdict: 'response-started', attempts: 1 })
  expect(server.count('/a')).toBe(1)
  expect(server.count('/b')).toBe(0)
  expect(await client(`${server.origin}/a`)).toMatchObject({ status: 200, redirected: true })
})
