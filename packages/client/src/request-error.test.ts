import { once } from 'node:events'
import { connect, constants, createSecureServer, type ServerHttp2Session, type ServerHttp2Stream } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createClient } from './client.js'
import { noEvidence } from './evidence.js'
import { causesOf, isPermanent, isRefusal, RequestError } from './request-error.js'
import { undiciVersions } from './testing/bindings.js'
import { selfSigned } from './testing/http2-server.js'

const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** What a failed call says, where the runtime says that. */
function messageOf(cause: unknown): string {
  return new RequestError({ verdict: 'fresh-loss', evidence: noEvidence, attempts: 1, budgetSpent: false, method: 'GET', origin: 'https://a.example', cause }).message.replace('GET https://a.example: fresh-loss, maybe sent, 1 attempt: ', '')
}

test.each([
  ['other side closed', 'other side closed'],
  // Deno 2.9.
  ['error sending request for url (https://a.example/orders?token=secret): client error (Connect): refused', 'error sending request for url (https://a.example): client error (Connect): refused'],
  // Node 20.
  ['Request cannot be constructed from a URL that includes credentials: http://user:secret@a.example:81/x', 'Request cannot be constructed from a URL that includes credentials: http://a.example:81'],
  ['no way from http://[::1]:80/a(b)?c=secret to HTTPS://b.example/secret#x, or back.', 'no way from http://[::1] to https://b.example, or back.'],
  ['http://a.example:999999/secret', 'a URL'],
])('%s', (said, message) => {
  expect(messageOf(new Error(said))).toBe(message)
  expect(messageOf(new TypeError('fetch failed', { cause: new Error(said) }))).toBe(message)
})

describe('what is no proper error makes a RequestError all the same', () => {
  const fallback = 'an error that cannot be put into words'
  const raises = (): never => {
    throw new Error('from a getter')
  }
  const withGetter = (key: string): Error => Object.defineProperty(new Error('said'), key, { get: raises })
  const ring = (): Error => {
    const [one, other] = [new Error('one'), new Error('other')]
    Object.assign(one, { cause: other })
    return Object.assign(other, { cause: one })
  }
  const revoked = (): object => {
    const { proxy, revoke } = Proxy.revocable({}, {})
    revoke()
    return proxy
  }
  const endless = (depth = 1): Error => Object.defineProperty(new Error(`depth ${depth}`), 'cause', { get: () => endless(depth + 1) })

  test.each<[string, () => unknown, string]>([
    ['undefined', () => undefined, 'undefined'],
    ['null', () => null, 'null'],
    ['a text', () => 'why', 'why'],
    ['a symbol', () => Symbol('why'), 'Symbol(why)'],
    ['an object without a prototype', () => Object.create(null) as object, fallback],
    ['a proxy that was revoked', revoked, fallback],
    ['an error in whose cause there is one', () => new Error('said', { cause: revoked() }), 'said'],
    ['its own cause', () => { const error = new Error('said'); return Object.assign(error, { cause: error }) }, 'said'],
    ['a ring of causes', ring, 'one'],
    ['causes without an end', endless, 'depth 8'],
    ['a message that is a number', () => Object.assign(new Error('said'), { message: 42 }), '42'],
    ['a message that is no text at all', () => Object.assign(new Error('said'), { message: Object.create(null) as object }), fallback],
    ['an empty message, and a name that is none', () => Object.assign(new Error(''), { name: Symbol('name') }), 'Symbol(name)'],
    ['a message that throws', () => withGetter('message'), fallback],
    ['a code that throws', () => withGetter('code'), 'said'],
    ['a cause that throws', () => withGetter('cause'), 'said'],
  ])('%s', (_what, make, said) => {
    const cause = make()
    expect(messageOf(cause)).toBe(said)
    expect(causesOf(cause).length).toBeLessThanOrEqual(8)
    expect([isPermanent(cause), isRefusal(cause)]).toEqual([false, false])
  })

  test('nor does a name that is no text make one that cannot be printed', () => {
    const error = new RequestError({ verdict: 'aborted', evidence: noEvidence, attempts: 1, budgetSpent: false, method: 'GET', origin: 'https://a.example', cause: undefined, name: Object.create(null) as string })
    expect(String(error)).toMatch(/^RequestError: GET /)
  })
})

describe('what fetch never sends is not tried again', () => {
  test.each(['http://127.0.0.1:1/', 'ftp://a.example/'])('%s', async (url) => {
    expect(isPermanent(await fetch(url).catch((caught: unknown) => caught))).toBe(true)
    expect(await createClient({ random: () => 0 })(url).catch((caught: unknown) => caught)).toMatchObject({ attempts: 1 })
  })

  test('the same words from somebody else mean nothing', () => {
    expect(isPermanent(new Error('bad port'))).toBe(false)
    expect(isPermanent(new Error('no way', { cause: new Error('bad port') }))).toBe(false)
    expect(isPermanent(new TypeError('fetch failed', { cause: Object.assign(new Error('bad port'), { code: 'ECONNRESET' }) }))).toBe(false)
  })
})

describe('which errors of HTTP/2 say that the stream was refused', () => {
  type End = (stream: ServerHttp2Stream, session: ServerHttp2Session, id: number) => void
  const { NGHTTP2_NO_ERROR: none, NGHTTP2_REFUSED_STREAM: refused, NGHTTP2_INTERNAL_ERROR: internal } = constants
  const reset: End = (stream) => stream.close(refused)
  const failed: End = (stream) => stream.close(internal)
  const goawayBelow: End = (_stream, session, id) => session.goaway(none, id - 2)
  const goawayWithCode: End = (_stream, session, id) => session.goaway(refused, id)
  const goawayBelowWithCode: End = (_stream, session, id) => session.goaway(refused, id - 2)

  /** A server that answers the first stream of a session, and ends every other one in some way once it has read it. */
  async function start(end: End): Promise<{ readonly origin: string; readonly read: () => number }> {
    const server = createSecureServer(await selfSigned())
    const sessions = new Set<ServerHttp2Session>()
    let read = 0
    server.on('session', (session) => {
      sessions.add(session)
      session.on('error', () => {})
    })
    server.on('stream', (stream, fields) => {
      stream.on('error', () => {})
      stream.resume()
      stream.on('end', () => {
        if (fields[':path'] === '/warm') return stream.respond({ ':status': 200 }, { endStream: true })
        read += 1
        end(stream, stream.session as ServerHttp2Session, stream.id ?? 0)
      })
    })
    server.listen(0, '127.0.0.1')
    await once(server, 'listening')
    closing.push(async () => {
      for (const session of sessions) session.destroy()
      server.close()
      await once(server, 'close')
    })
    return { origin: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, read: () => read }
  }

  test.each<[string, boolean, End]>([
    ['RST_STREAM with REFUSED_STREAM', true, reset],
    ['RST_STREAM with INTERNAL_ERROR', false, failed],
    ['GOAWAY below it', true, goawayBelow],
    ['GOAWAY that covers it, with the code REFUSED_STREAM', false, goawayWithCode],
    ['GOAWAY below it, with that code, which Node does not tell from the one before', false, goawayBelowWithCode],
  ])('http2 of Node, %s: %s', async (_what, said, end) => {
    const { origin } = await start(end)
    const session = connect(origin, { rejectUnauthorized: false })
    session.on('error', () => {})
    closing.unshift(async () => session.destroy())
    await once(session.request({ ':path': '/warm' }).resume(), 'close')
    const stream = session.request({ ':method': 'POST', ':path': '/x' })
    const ended = once(stream, 'error')
    stream.end('x')
    const [error] = (await ended) as [unknown]
    expect(isRefusal(error)).toBe(said)
  })

  interface UndiciModule {
    readonly Agent: new (options: object) => { destroy(): Promise<void> }
    readonly fetch: (url: string, init: object) => Promise<Response>
  }
  const load = { 6: () => import('undici6'), 7: () => import('undici7'), 8: () => import('undici8') }

  describe.each(undiciVersions)('fetch of undici %i', (version) => {
    async function open(end: End) {
      const server = await start(end)
      const { Agent, fetch } = (await load[version]()) as unknown as UndiciModule
      const dispatcher = new Agent({ allowH2: true, connect: { rejectUnauthorized: false } })
      closing.unshift(() => dispatcher.destroy())
      const send = (url: unknown, init?: unknown): Promise<Response> => fetch(String(url), { ...(init as object), dispatcher })
      await (await send(`${server.origin}/warm`)).text()
      return { server, send }
    }

    test.each<[string, boolean, End]>([
      ['RST_STREAM with REFUSED_STREAM', true, reset],
      ['RST_STREAM with INTERNAL_ERROR', false, failed],
      ['GOAWAY that covers it, with the code REFUSED_STREAM', false, goawayWithCode],
      ['GOAWAY below it, which undici does not tell from one that covers it', false, goawayBelow],
    ])('%s: %s', async (_what, said, end) => {
      const { server, send } = await open(end)
      const error = await send(`${server.origin}/x`, { method: 'POST', body: 'x' }).catch((caught: unknown) => caught)
      expect(error).toBeInstanceOf(Error)
      expect(isRefusal(error)).toBe(said)
    })

    test.each([['with a body', 'x'], ['without one', undefined]])('a POST %s that is refused each time is sent twice', async (_what, body) => {
      const { server, send } = await open(reset)
      const client = createClient({ random: () => 0, fetch: send })
      expect(await client(`${server.origin}/x`, { method: 'POST', ...(body !== undefined && { body }) }).catch((caught: unknown) => caught)).toBeInstanceOf(RequestError)
      // undici 8 itself sends one without a body once more.
      expect(server.read()).toBe(2)
    })

    test('a POST that the server has read is not sent again because of such a GOAWAY', async () => {
      const { server, send } = await open(goawayWithCode)
      const client = createClient({ random: () => 0, fetch: send })
      const error = await client(`${server.origin}/x`, { method: 'POST', getBody: () => 'x' }).catch((caught: unknown) => caught)
      // undici 6 does not tell over HTTP/2 that it sends.
      expect(error).toMatchObject({ verdict: version === 6 ? 'fresh-loss' : 'stale-reuse', attempts: 1 })
      expect(server.read()).toBe(1)
    })
  })
})
