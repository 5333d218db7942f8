import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { callInPage, type PageCall, type PageResult } from './testing/browser-calls.js'
import { openClientPage, type ClientPage } from './testing/browser-page.js'
import { startCorsServer, type Cors, type CorsServer } from './testing/browser-server.js'
import { ok, type Fault, type SeenRequest } from './testing/fault-server.js'
import { startHttp2Server, type Http2FaultServer, type SeenStream, type StreamFault } from './testing/http2-server.js'

let browser: ClientPage
const servers: CorsServer[] = []
const http2Servers: Http2FaultServer[] = []
beforeAll(async () => {
  browser = await openClientPage()
})
afterEach(async () => {
  for (const server of [...servers.splice(0), ...http2Servers.splice(0)]) await server.close()
})
afterAll(() => browser?.close())

async function start(decide: (request: SeenRequest) => Fault, cors?: Cors): Promise<CorsServer> {
  const server = await startCorsServer(decide, cors)
  servers.push(server)
  return server
}

const call = (order: PageCall): Promise<PageResult> => callInPage(browser.page, order)
/** What the client writes into each request: with it, bare fetch has to ask beforehand as well. */
const requestId = { 'x-request-id': 'r-1' }
const key = { 'idempotency-key': 'order-1' }
const post = { method: 'POST', body: 'tea' } as const

// Chromium sends any request once more by itself if the connection has carried one before and dies without a byte of a response
// (HttpNetworkTransaction::ShouldResendRequest). The preflight is one, so the request after it is on a reused connection, and what
// Chromium sends then is on a fresh one. Where the preflight's connection is closed, Chromium resends nothing. All counts are exact.
const connections = [
  { connection: 'reused', preflightCloses: false, byBrowser: 2 },
  { connection: 'fresh', preflightCloses: true, byBrowser: 1 },
] as const
const deaths = connections.flatMap((row) => (['fin', 'rst'] as const).map((fault) => ({ ...row, fault })))

describe.each(deaths)('the server has read the request, and its $connection connection dies: $fault', ({ preflightCloses, byBrowser, fault }) => {
  /** Ends the connection under as many requests for a target as Chromium sends by itself. */
  const dying = (): Promise<CorsServer> => start(({ before }) => (before < byBrowser ? fault : ok), { preflightCloses })

  test('a GET comes through', async () => {
    const server = await dying()
    expect(await call({ url: `${server.origin}/x` })).toMatchObject({ status: 200, text: 'ok', delays: [0] })
    expect(server.requests('/x')).toHaveLength(byBrowser + 1)
    expect(server.requests('/x')[0]?.nth === 1).toBe(preflightCloses)
  })

  test('a POST with a key comes through, with one key', async () => {
    const server = await dying()
    const result = await call({ url: `${server.origin}/x`, ...post, options: { trustedOrigins: [server.origin] } })
    expect(result).toMatchObject({ status: 200, text: 'ok', delays: [0] })
    const seen = server.requests('/x')
    expect(seen.map(({ body }) => body.toString())).toEqual(Array.from({ length: byBrowser + 1 }, () => 'tea'))
    for (const name of ['idempotency-key', 'x-request-id']) {
      expect(seen[0]?.fields[name]).toMatch(/^[\da-f-]{36}$/)
      expect(new Set(seen.map(({ fields }) => fields[name])).size).toBe(1)
    }
  })

  test('a POST without a key is sent by the client once: what else the server sees is of Chromium', async () => {
    const server = await start(() => fault, { preflightCloses })
    const bare = await call({ url: `${server.origin}/bare`, ...post, headers: requestId, by: 'fetch' })
    expect(bare).toMatchObject({ name: 'TypeError', message: 'Failed to fetch' })
    const result = await call({ url: `${server.origin}/x`, ...post })
    expect(result).toMatchObject({ name: 'RequestError', verdict: 'fresh-loss', attempts: 1, delays: [] })
    expect([server.requests('/bare').length, server.requests('/x').length]).toEqual([byBrowser, byBrowser])

    // A client that sends it again would have been caught.
    await call({ url: `${server.origin}/broken`, ...post, by: 'broken client' })
    expect(server.requests('/broken')).toHaveLength(byBrowser + 2)
  })
})

test('the fields of the client make Chromium ask beforehand, and so resend a POST that bare fetch sends at once', async () => {
  const sends = async (by: 'fetch' | 'client'): Promise<number> => {
    const server = await start(() => 'fin')
    await call({ url: `${server.origin}/x`, ...post, by })
    return server.requests('/x').length
  }
  expect([await sends('fetch'), await sends('client')]).toEqual([1, 2])
})

describe('503 with Retry-After', () => {
  const arrivals: number[] = []
  const busyOnce = (cors?: Cors): Promise<CorsServer> => {
    arrivals.length = 0
    return start(({ before }) => {
      arrivals.push(performance.now())
      return before === 0 ? { status: 503, fields: { 'retry-after': '1' } } : ok
    }, cors)
  }

  test('is obeyed for a POST with a key', async () => {
    const server = await busyOnce({ expose: 'retry-after' })
    expect(await call({ url: `${server.origin}/x`, ...post, headers: key })).toMatchObject({ status: 200, delays: [1_000] })
    const [first = 0, second = 0, ...more] = arrivals
    expect(second - first).toBeGreaterThanOrEqual(1_000)
    expect(more).toEqual([])
  })

  test('is handed over to a POST without a key', async () => {
    const server = await busyOnce({ expose: 'retry-after' })
    expect(await call({ url: `${server.origin}/x`, ...post })).toMatchObject({ status: 503, retryAfter: '1', delays: [] })
    expect(server.requests('/x')).toHaveLength(1)
  })

  test('is not seen where the server does not expose it: the wait is that of the policy', async () => {
    const server = await busyOnce()
    expect(await call({ url: `${server.origin}/x`, ...post, headers: key })).toMatchObject({ status: 200, delays: [0] })
  })
})

test('an abort in a wait is obeyed', async () => {
  const server = await start(() => ({ status: 503, fields: { 'retry-after': '20' } }), { expose: 'retry-after' })
  const result = await call({ url: `${server.origin}/x`, ...post, headers: key, abortInBackoff: true })
  expect(result).toMatchObject({ name: 'AbortError', verdict: 'aborted', attempts: 1, delays: [20_000] })
  expect(server.requests('/x')).toHaveLength(1)
})

test('a redirect does not take a key to another origin', async () => {
  const other = await start(() => ok)
  const server = await start(({ target }) => ({ status: 307, fields: { location: `${other.origin}${target}` } }))
  const result = await call({ url: `${server.origin}/x`, ...post, headers: key })
  expect(result).toMatchObject({ name: 'RequestError', verdict: 'response-started', attempts: 1 })
  expect(server.requests('/x')).toHaveLength(1)
  expect([other.preflights('/x').length, other.requests('/x').length]).toEqual([0, 0])
  // Bare fetch takes it along.
  expect(await call({ url: `${server.origin}/bare`, ...post, headers: key, by: 'fetch' })).toMatchObject({ status: 200 })
  expect(other.requests('/bare')[0]?.fields).toMatchObject(key)
  // Without a key the browser follows.
  expect(await call({ url: `${server.origin}/keyless`, ...post })).toMatchObject({ status: 200 })
  expect(other.requests('/keyless').map(({ body }) => body.toString())).toEqual(['tea'])
})

describe('a body is the same on every attempt, of Chromium and of the client', () => {
  const bytes = Buffer.from(Array.from({ length: 100_000 }, (_, at) => at % 251))
  const twice = (): Promise<CorsServer> => start(({ before }) => (before < 2 ? 'fin' : ok))
  const send = async (order: Pick<PageCall, 'body' | 'kind'>): Promise<readonly SeenRequest[]> => {
    const server = await twice()
    expect(await call({ url: `${server.origin}/x`, method: 'POST', headers: key, ...order })).toMatchObject({ status: 200 })
    const seen = server.requests('/x')
    expect(seen).toHaveLength(3)
    for (const { body, fields } of seen) {
      expect(body.equals(seen[0]?.body ?? Buffer.of(1))).toBe(true)
      expect(fields['content-type']).toBe(seen[0]?.fields['content-type'])
    }
    return seen
  }

  test('a text', async () => {
    const [first] = await send({ body: 'tea ☕' })
    expect([first?.body.toString(), first?.fields['content-type']]).toEqual(['tea ☕', 'text/plain;charset=UTF-8'])
  })

  test('a Blob', async () => {
    const [first] = await send({ body: bytes.toString('base64'), kind: 'blob' })
    expect(first?.body.equals(bytes)).toBe(true)
    expect(first?.fields['content-type']).toBe('text/csv')
  })

  test('a form', async () => {
    const [first] = await send({ body: bytes.toString('base64'), kind: 'form' })
    const data = await new Response(new Uint8Array(first?.body ?? []), { headers: { 'content-type': String(first?.fields['content-type']) } }).formData()
    expect(data.get('name')).toBe('Ärger "quoted"')
    expect(Buffer.from(await (data.get('file') as Blob).arrayBuffer()).equals(bytes)).toBe(true)
  })
})

test('a server of another origin has to allow the fields of the client', async () => {
  const server = await start(() => ok, { allow: 'content-type' })
  const result = await call({ url: `${server.origin}/x` })
  expect(result).toMatchObject({ name: 'RequestError', verdict: 'fresh-loss' })
  expect(server.requests('/x')).toEqual([])
  expect(server.preflights('/x')[0]?.fields['access-control-request-headers']).toBe('x-request-id')
  expect(await call({ url: `${server.origin}/x`, by: 'fetch' })).toMatchObject({ status: 200 })
})

describe('over HTTP/2', () => {
  const startHttp2 = async (decide: (stream: SeenStream) => StreamFault): Promise<Http2FaultServer> => {
    const server = await startHttp2Server(decide)
    http2Servers.push(server)
    return server
  }

  // How often Chromium sends one call by itself: a refused stream twice more, and what was in flight on a session that dies once more.
  test.each<[StreamFault, number]>([['refuse', 3], ['cut', 2], ['goaway-above', 1]])('%s: the client adds no POST without a key, and brings a GET and a POST with a key through', async (fault, byBrowser) => {
    const always = await startHttp2(() => fault)
    expect(await call({ url: `${always.origin}/bare`, ...post, headers: requestId, by: 'fetch' })).toMatchObject({ name: 'TypeError' })
    expect(await call({ url: `${always.origin}/x`, ...post })).toMatchObject({ name: 'RequestError', attempts: 1, delays: [] })
    expect([always.count('/bare'), always.count('/x')]).toEqual([byBrowser, byBrowser])
    for (const order of [{}, { ...post, headers: key }]) {
      const server = await startHttp2(({ before }) => (before < byBrowser ? fault : 'ok'))
      expect(await call({ url: `${server.origin}/x`, ...order })).toMatchObject({ status: 200, text: 'ok', delays: [0] })
      expect(server.count('/x')).toBe(byBrowser + 1)
    }
  })

  test('a POST above the id of a GOAWAY is sent again by Chromium itself', async () => {
    const server = await startHttp2(({ before }) => (before === 0 ? 'goaway-below' : 'ok'))
    expect(await call({ url: `${server.origin}/x`, ...post })).toMatchObject({ status: 200, delays: [] })
    expect(server.count('/x')).toBe(2)
  })
})
