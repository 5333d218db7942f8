import { once } from 'node:events'
import { createServer } from 'node:http'
import { connect, type AddressInfo, type Socket } from 'node:net'
import { afterEach, describe, expect, test } from 'vitest'
import { createClientOf } from '../client.js'
import type { RequestError } from '../request-error.js'
import { undiciVersions, warmUp } from '../testing/bindings.js'
import { ok, startFaultServer, type Fault, type SeenRequest } from '../testing/fault-server.js'
import { selfSigned } from '../testing/http2-server.js'
import { findWatch } from './watch.js'

interface UndiciModule {
  readonly ProxyAgent: new (options: object) => { destroy(): Promise<void> }
  readonly fetch: (url: string, init: object) => Promise<Response>
}

const load = { 6: () => import('undici6'), 7: () => import('undici7'), 8: () => import('undici8') }
const closing: (() => Promise<unknown>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(decide: (request: SeenRequest) => Fault, tls?: { key: string; cert: string }) {
  const server = await startFaultServer(decide, tls)
  closing.push(() => server.close())
  return server
}

/** The origin of a server that is no longer there. */
async function nowhere(): Promise<string> {
  const server = await startFaultServer(() => ok)
  await server.close()
  return server.origin
}

test('a fetch that posts to another place, and fails to connect to a third one: sent once, and maybe sent', async () => {
  const gone = await nowhere()
  const gateway = await serve(() => ({ status: 401 }))
  const client = createClientOf({
    random: () => 0,
    fetch: async (url, init) => {
      const response = await fetch(String(url).replace('http://service.example', gateway.origin), init)
      return response.status === 401 ? fetch(`${gone}/token`) : response
    },
  }, {})
  const error = await client('http://service.example/x', { method: 'POST', body: 'x' }).catch((caught: unknown) => caught as RequestError)
  expect(error).toMatchObject({ verdict: 'fresh-loss', sent: 'unknown', code: 'ECONNREFUSED', attempts: 1 })
  expect(gateway.count('/x')).toBe(1)
})

test('a client around a client, whose last attempt did not connect: maybe sent', async () => {
  const gone = await nowhere()
  const server = await serve(() => ({ status: 503 }))
  const inner = createClientOf({ random: () => 0, retry: false }, {})
  const client = createClientOf({
    random: () => 0,
    fetch: async (url, init) => {
      await inner(String(url), init)
      return inner(`${gone}/other`)
    },
  }, {})
  const error = await client(`${server.origin}/x`, { method: 'POST', body: 'x' }).catch((caught: unknown) => caught as RequestError)
  expect(error).toMatchObject({ sent: 'unknown', attempts: 1 })
  expect(server.count('/x')).toBe(1)
})

test('where connecting is all that was tried, nothing was sent', async () => {
  const error = await createClientOf({ random: () => 0, retry: false }, {})(`${await nowhere()}/x`, { method: 'POST', body: 'x' }).catch((caught: unknown) => caught as RequestError)
  expect(error).toMatchObject({ verdict: 'not-sent', sent: false })
})

/** A proxy that makes tunnels, or answers with a status instead. */
async function startProxy(status = 200): Promise<string> {
  const sockets = new Set<Socket>()
  const proxy = createServer()
  proxy.on('connect', (request, socket: Socket) => {
    if (status !== 200) return socket.end(`HTTP/1.1 ${status} No\r\ncontent-length: 0\r\n\r\n`)
    const beneath = connect(Number(request.url?.split(':')[1]), '127.0.0.1', () => {
      socket.write('HTTP/1.1 200 OK\r\n\r\n')
      socket.pipe(beneath).pipe(socket)
    })
    for (const [one, other] of [[socket, beneath], [beneath, socket]] as const) {
      sockets.add(one)
      one.on('error', () => {})
      one.once('close', () => other.destroy())
    }
  })
  proxy.listen(0, '127.0.0.1')
  await once(proxy, 'listening')
  closing.push(async () => {
    for (const socket of sockets) socket.destroy()
    proxy.close()
    await once(proxy, 'close')
  })
  return `http://127.0.0.1:${(proxy.address() as AddressInfo).port}`
}

async function throughProxy(version: 6 | 7 | 8, status?: number) {
  const undici = (await load[version]()) as unknown as UndiciModule
  const dispatcher = new undici.ProxyAgent({ uri: await startProxy(status), proxyTunnel: true, requestTls: { rejectUnauthorized: false } })
  closing.unshift(() => dispatcher.destroy())
  return createClientOf({ retry: false, fetch: (url: unknown, init: unknown) => undici.fetch(String(url), { ...(init as object), dispatcher }) }, {})
}

describe.each(undiciVersions)('undici %i through a tunnel', (version) => {
  describe.each(['http', 'https'])('to %s', (scheme) => {
    test('a fresh tunnel that dies is no stale connection', async () => {
      const server = await serve(() => 'fin', scheme === 'https' ? await selfSigned() : undefined)
      const client = await throughProxy(version)
      const error = await client(`${server.origin}/x`).catch((caught: unknown) => caught as RequestError)
      expect(error).toMatchObject({ verdict: 'fresh-loss', sent: true, reused: false, responseBytes: 0 })
      expect(server.count('/x')).toBe(1)
    })

    test('one that has carried a request is, and is repaired', async () => {
      const server = await serve(({ target, nth }) => (target === '/x' && nth > 1 ? 'fin' : ok), scheme === 'https' ? await selfSigned() : undefined)
      const client = await throughProxy(version)
      await warmUp(async (url) => (await client(url)).text(), server)
      expect((await client(`${server.origin}/x`)).status).toBe(200)
      expect(server.count('/x')).toBe(2)
      expect(server.seen.at(-1)?.nth).toBe(1)
    })

    test('once idle it is closed as one of the origin that it leads to', async () => {
      const server = await serve(() => ok, scheme === 'https' ? await selfSigned() : undefined)
      const client = await throughProxy(version)
      await (await client(`${server.origin}/x`)).text()
      expect(server.open()).toBe(1)
      expect(findWatch()?.closeIdle(server.origin, 0)).toBe(1)
      while (server.open() > 0) await once(server.closings, 'closed')
    })
  })

  test('a proxy that makes no tunnel: nothing was sent', async () => {
    const client = await throughProxy(version, 502)
    const error = await client('http://service.example/x', { method: 'POST', body: 'x' }).catch((caught: unknown) => caught as RequestError)
    expect(error).toMatchObject({ verdict: 'not-sent', sent: false })
  })
})
