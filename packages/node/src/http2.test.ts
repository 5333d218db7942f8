import { EventEmitter, once } from 'node:events'
import { connect, createSecureServer, createServer, type ClientHttp2Session, type Http2SecureServer, type Http2Server } from 'node:http2'
import { connect as connectTcp, type AddressInfo } from 'node:net'
import { connect as connectTls } from 'node:tls'
import type { PolicyOptions } from '@hopwise/core'
import { generate } from 'selfsigned'
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { attach, type Hop } from './index.js'
import { phase, signal } from './testing/attached-server.js'

let tls: { key: string; cert: string }
beforeAll(async () => {
  const made = await generate([{ name: 'commonName', value: 'localhost' }])
  tls = { key: made.private, cert: made.cert }
})

type Handler = Parameters<typeof createServer>[1]

/** A server with a policy, and sessions to it that are ended with the test. */
async function http2Server(kind: 'h2c' | 'tls', handler: Handler, policy: PolicyOptions = {}) {
  const server: Http2Server | Http2SecureServer = kind === 'h2c' ? createServer({}, handler) : createSecureServer({ ...tls, allowHTTP1: true }, handler)
  const hop: Hop = attach(server, policy)
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const open = async (): Promise<ClientHttp2Session> => {
    const session = connect(`${kind === 'h2c' ? 'http' : 'https'}://127.0.0.1:${port}`, { rejectUnauthorized: false })
    session.on('error', () => {})
    onTestFinished(() => session.destroy())
    await once(session, 'connect')
    // Its first settings have come: a stream that is opened now is on the wire at once.
    if (session.remoteSettings.maxConcurrentStreams === undefined) await once(session, 'remoteSettings')
    return session
  }
  onTestFinished(() => void server.close())
  return { server, hop, port, open }
}

/** The events of a hop for `once`. */
function hopEvents(hop: Hop): EventEmitter {
  const emitter = new EventEmitter()
  hop.on('refused', (event) => emitter.emit('refused', event))
  return emitter
}

/** How a stream ended: its status and body, or the error. */
async function get(session: ClientHttp2Session, path: string): Promise<string> {
  try {
    const stream = session.request({ ':path': path })
    const heard = once(stream, 'response') as Promise<[{ ':status'?: number }]>
    const unheard = once(stream, 'close').then(() => Promise.reject(new Error(`closed ${stream.rstCode}`)))
    unheard.catch(() => {})
    const [headers] = await Promise.race([heard, unheard])
    let body = ''
    for await (const chunk of stream) body += String(chunk)
    return `${headers[':status']} ${body}`
  } catch (error) {
    return (error as Error).message
  }
}

/** The GOAWAY frames that a client got: code and last stream. */
function goaways(session: ClientHttp2Session): [number, number][] {
  const seen: [number, number][] = []
  session.on('goaway', (code, last) => seen.push([code, last]))
  return seen
}

describe.each(['h2c', 'tls'] as const)('HTTP/2 over %s', (kind) => {
  test('a drain lets the open streams finish, and says with an exact GOAWAY which they were', async () => {
    const [began, go] = [signal(), signal()]
    const { hop, open } = await http2Server(kind, async (request, response) => {
      if (request.url === '/b') began.give()
      await go.given
      response.end(request.url)
    })
    const session = await open()
    const seen = goaways(session)
    const [a, b] = [get(session, '/a'), get(session, '/b')]
    await began.given
    const drained = hop.drain()
    await once(session, 'goaway')
    go.give()
    expect([await a, await b]).toEqual(['200 /a', '200 /b'])
    expect(await drained).toMatchObject({ inFlight: 2, closed: { announced: 1, forced: 0 } })
    expect(new Set(seen.map(String))).toEqual(new Set(['0,3']))
  })

  test('streams in the race with it are answered or refused, never left in silence', async () => {
    const { hop, open } = await http2Server(kind, (request, response) => void response.end(request.url))
    const session = await open()
    const outcomes: Promise<string>[] = []
    const drained = hop.drain()
    for (let number = 0; !session.closed && !session.destroyed && number < 2_000; number++) {
      outcomes.push(get(session, `/${number}`))
      await new Promise(setImmediate)
    }
    for (const [number, outcome] of (await Promise.all(outcomes)).entries()) {
      expect([`200 /${number}`, 'Stream closed with error code NGHTTP2_REFUSED_STREAM', 'New streams cannot be created after receiving a GOAWAY']).toContain(outcome)
    }
    expect(await drained).toMatchObject({ closed: { announced: 1, forced: 0 } })
  })

  test('a session that is idle ends at once', async () => {
    const { hop, open } = await http2Server(kind, (_request, response) => void response.end('ok'))
    const session = await open()
    expect(await get(session, '/')).toBe('200 ok')
    expect(await hop.drain()).toMatchObject({ closed: { announced: 1, forced: 0 } })
  })

  test('a stream without an end is told, and cut at the deadline', async () => {
    const { hop, open } = await http2Server(kind, (request, response) => {
      const ending = hop.drainSignal(request)
      response.write('never ends')
      ending.addEventListener('abort', () => request.url === '/polite' && response.end(' but politely'))
    }, { drain: { deadline: 400, streamSpread: 10 } })
    const session = await open()
    const [polite, rude] = [get(session, '/polite'), session.request({ ':path': '/rude' })]
    rude.on('error', () => {})
    await once(rude, 'data')
    const report = await hop.drain()
    expect(await polite).toBe('200 never ends but politely')
    expect(report).toMatchObject({ farewells: 2, closed: { forced: 1 } })
    expect(report.milliseconds).toBeLessThan(500)
  })

  test('maxRequestsPerConnection ends a session by GOAWAY, with each stream served', async () => {
    const { open } = await http2Server(kind, (request, response) => void response.end(request.url), { server: { maxRequestsPerConnection: 3 } })
    const session = await open()
    const seen = goaways(session)
    const closed = once(session, 'close')
    expect(await get(session, '/1')).toBe('200 /1')
    expect(await Promise.all([get(session, '/2'), get(session, '/3')])).toEqual(['200 /2', '200 /3'])
    await closed
    expect(seen.map(([code]) => code)).toContain(0)
  })

  test('a connection beyond maxConnections is closed, and the others are not', async () => {
    const { hop, port, open } = await http2Server(kind, (request, response) => void response.end(request.url), { server: { maxConnections: 1 } })
    const refused = once(hopEvents(hop), 'refused')
    const first = await open()
    const second = connect(`${kind === 'h2c' ? 'http' : 'https'}://127.0.0.1:${port}`, { rejectUnauthorized: false })
    second.on('error', () => {})
    await new Promise((resolve) => second.once('close', resolve))
    expect(await refused).toEqual([{ limit: 1 }])
    expect(await get(first, '/first')).toBe('200 /first')
  })

  test('an idle session is ended by GOAWAY after keepAliveTimeout', async () => {
    const { open } = await http2Server(kind, (_request, response) => void response.end('ok'), { server: { keepAliveTimeout: '1s', keepAliveTimeoutBuffer: 0 } })
    const session = await open()
    expect(await get(session, '/')).toBe('200 ok')
    const seen = goaways(session)
    await once(session, 'close')
    expect(seen[0]).toEqual([0, 1])
  })
})

test('a session whose handshake ends while the server drains is ended as well', async () => {
  const { hop, port } = await http2Server('tls', (_request, response) => void response.end(), { drain: { deadline: '5s', idleGrace: '5s' } })
  const socket = connectTcp(port, '127.0.0.1')
  await once(socket, 'connect')
  const drained = hop.drain()
  await phase(hop, 'draining')
  const session = connect(`https://127.0.0.1:${port}`, { createConnection: () => connectTls({ socket, rejectUnauthorized: false, ALPNProtocols: ['h2'] }) })
  session.on('error', () => {})
  await new Promise((resolve) => session.once('close', resolve))
  const report = await drained
  expect(report).toMatchObject({ closed: { announced: 1, forced: 0 } })
  expect(report.milliseconds).toBeLessThan(4_000)
})

test('HTTP/1 on an HTTP/2 server drains as on any other', async () => {
  const { request } = await import('node:https')
  const [began, go] = [signal(), signal()]
  const { hop, port } = await http2Server('tls', async (_request, response) => {
    began.give()
    await go.given
    response.end('one')
  })
  const outgoing = request({ host: '127.0.0.1', port, rejectUnauthorized: false }).end()
  await began.given
  const drained = hop.drain()
  await phase(hop, 'draining')
  go.give()
  const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage]
  expect([response.httpVersion, response.headers.connection]).toEqual(['1.1', 'close'])
  response.resume()
  expect(await drained).toMatchObject({ closed: { announced: 1, forced: 0 } })
})
