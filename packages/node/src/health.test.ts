import { once } from 'node:events'
import { createServer, type RequestListener } from 'node:http'
import { connect, createServer as createHttp2Server, type ClientHttp2Session } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { rawConnect, rawRequest, requestText } from '@hopwise/testkit/adapter'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { attach, healthHandler, type HealthHandler, type HealthOptions } from './index.js'
import { attachedServer, get, phase, signal } from './testing/attached-server.js'

afterEach(() => {
  vi.restoreAllMocks()
})

/** A server whose only listener is the handler. */
async function serve(handler: RequestListener): Promise<number> {
  const server = createServer(handler).listen(0, '127.0.0.1')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  await once(server, 'listening')
  return (server.address() as AddressInfo).port
}

async function ask(port: number, target: string, method = 'GET') {
  const response = await rawRequest(port, requestText(method, target, { connection: 'close' }))
  return [response.status, response.body.toString()]
}

describe('what is answered', () => {
  test.each([
    ['/readyz', 200, '{"status":"ready"}'],
    ['/readyz?verbose=1', 200, '{"status":"ready"}'],
    ['/livez', 200, '{"status":"alive"}'],
    ['/livez?', 200, '{"status":"alive"}'],
    ['/', 404, ''],
    ['/readyz/', 404, ''],
    ['/readyz2', 404, ''],
    ['/READYZ', 404, ''],
    ['/api/livez', 404, ''],
    ['/?/livez', 404, ''],
  ])('GET %s: %i', async (target, status, body) => {
    expect(await ask(await serve(healthHandler({ ready: true })), target)).toEqual([status, body])
  })

  test('as JSON that nobody stores', async () => {
    const response = await rawRequest(await serve(healthHandler({ ready: true })), get('/readyz'))
    expect(['content-type', 'content-length', 'cache-control'].map((name) => response.field(name))).toEqual(['application/json', '18', 'no-store'])
  })

  test('not ready: 503, and alive all the same', async () => {
    const port = await serve(healthHandler({ ready: false }))
    const response = await rawRequest(port, get('/readyz'))
    expect([response.status, response.body.toString(), response.field('cache-control')]).toEqual([503, '{"status":"draining"}', 'no-store'])
    expect(await ask(port, '/livez')).toEqual([200, '{"status":"alive"}'])
  })

  test.each([[true, '/readyz', 200, '18'], [false, '/readyz', 503, '21'], [false, '/livez', 200, '18']])('HEAD, ready %s: %s without a body', async (ready, target, status, length) => {
    const port = await serve(healthHandler({ ready }))
    const client = await rawConnect(port)
    onTestFinished(() => client.destroy())
    client.write(requestText('HEAD', target, {}))
    const response = await client.response({ toHead: true })
    expect([response.status, response.field('content-length'), response.body.length]).toEqual([status, length, 0])
    // A body would stand in the way of the next response.
    client.write(get('/livez'))
    expect((await client.response()).status).toBe(200)
  })

  test.each(['POST', 'PUT', 'DELETE', 'OPTIONS'])('%s: 405 that says what is allowed', async (method) => {
    const port = await serve(healthHandler({ ready: true }))
    for (const target of ['/readyz', '/livez?x']) {
      const response = await rawRequest(port, requestText(method, target, {}, 'a body that nobody reads'))
      expect([response.status, response.field('allow'), response.body.length]).toEqual([405, 'GET, HEAD', 0])
    }
  })

  test('other paths, and either one alone', async () => {
    const other = await serve(healthHandler({ ready: true }, { readiness: '/health/ready', liveness: '/health' }))
    expect(await ask(other, '/health/ready')).toEqual([200, '{"status":"ready"}'])
    expect(await ask(other, '/health')).toEqual([200, '{"status":"alive"}'])
    expect(await ask(other, '/readyz')).toEqual([404, ''])
    const readinessOnly = await serve(healthHandler({ ready: true }, { liveness: false }))
    expect([await ask(readinessOnly, '/readyz'), await ask(readinessOnly, '/livez')]).toEqual([[200, '{"status":"ready"}'], [404, '']])
    const neither = await serve(healthHandler({ ready: true }, { readiness: false, liveness: false }))
    expect([await ask(neither, '/readyz'), await ask(neither, '/livez')]).toEqual([[404, ''], [404, '']])
  })

  test('where there is a next, other paths are its own', async () => {
    const handler = healthHandler({ ready: true })
    const port = await serve((request, response) => handler(request, response, (error) => response.end(`next ${error} ${response.statusCode} ${response.getHeaderNames()}`)))
    expect(await ask(port, '/orders', 'POST')).toEqual([200, 'next undefined 200 '])
    expect(await ask(port, '/readyz')).toEqual([200, '{"status":"ready"}'])
    expect(await ask(port, '/readyz', 'POST')).toEqual([405, ''])
  })
})

test('http2, by the compat API', async () => {
  const state = { ready: true }
  const server = createHttp2Server(healthHandler(state)).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const session = connect(`http://127.0.0.1:${(server.address() as AddressInfo).port}`)
  onTestFinished(() => {
    session.destroy()
    server.close()
  })
  expect(await askHttp2(session, 'GET', '/readyz?a')).toEqual([200, 'no-store', '{"status":"ready"}'])
  expect(await askHttp2(session, 'GET', '/livez')).toEqual([200, 'no-store', '{"status":"alive"}'])
  expect(await askHttp2(session, 'POST', '/livez')).toEqual([405, 'no-store', ''])
  expect(await askHttp2(session, 'GET', '/')).toEqual([404, undefined, ''])
  state.ready = false
  expect(await askHttp2(session, 'GET', '/readyz')).toEqual([503, 'no-store', '{"status":"draining"}'])
  expect(await askHttp2(session, 'HEAD', '/readyz')).toEqual([503, 'no-store', ''])
})

async function askHttp2(session: ClientHttp2Session, method: string, path: string) {
  const stream = session.request({ ':method': method, ':path': path })
  stream.end()
  const [headers] = (await once(stream, 'response')) as [Record<string, unknown>]
  let body = ''
  for await (const chunk of stream) body += String(chunk)
  return [headers[':status'], headers['cache-control'], body]
}

test('a real drain: 503 from its first moment, on a connection that is open already; alive until it is over', async () => {
  const go = signal()
  const handlers: HealthHandler[] = []
  const { hop, connect: open } = await attachedServer((request, response) => {
    handlers[0]?.(request, response, () => void go.given.then(() => response.end('served')))
  }, { drain: { mode: 'announce-first', announceFor: 200, quietWindow: 0, idleGrace: 20, deadline: '10s' } })
  handlers.push(hop.health())
  const [busy, probe] = [await open(), await open()]
  busy.write(get('/orders'))
  probe.write(get('/readyz'))
  expect((await probe.response()).status).toBe(200)
  const drained = hop.drain()
  probe.write(get('/readyz'))
  expect((await probe.response()).status).toBe(503)
  probe.write(get('/livez'))
  expect((await probe.response()).status).toBe(200)
  await phase(hop, 'draining')
  go.give()
  expect((await busy.response()).body.toString()).toBe('served')
  await drained
})

describe('a check of your own', () => {
  const listening = (state: { ready: boolean }, options: HealthOptions) => {
    const told: unknown[] = []
    return { told, port: serve(healthHandler(state, { onCheckFailed: (error) => void told.push(error), ...options })) }
  }

  test.each<[string, NonNullable<HealthOptions['check']>, number, string, unknown[]]>([
    ['true', () => true, 200, 'ready', []],
    ['true, later', () => Promise.resolve(true), 200, 'ready', []],
    ['false', () => false, 503, 'not-ready', []],
    ['an error', () => { throw new Error('secret') }, 503, 'not-ready', [new Error('secret')]],
    ['an error, later', () => Promise.reject(new Error('secret')), 503, 'not-ready', [new Error('secret')]],
    ['no answer', () => new Promise(() => {}), 503, 'not-ready', [new Error('no answer within 20ms')]],
    ['neither true nor false', (() => undefined) as never, 503, 'not-ready', [new TypeError('expected true or false, got undefined')]],
  ])('that gives %s', async (_what, check, status, word, errors) => {
    const { port, told } = listening({ ready: true }, { check, checkTimeout: 20 })
    expect(await ask(await port, '/readyz')).toEqual([status, `{"status":"${word}"}`])
    expect(told).toEqual(errors)
    expect(await ask(await port, '/livez')).toEqual([200, '{"status":"alive"}'])
  })

  test('it is not asked while draining, nor for liveness', async () => {
    const check = vi.fn<() => boolean>(() => true)
    const { port } = listening({ ready: false }, { check })
    expect(await ask(await port, '/readyz')).toEqual([503, '{"status":"draining"}'])
    await ask(await port, '/livez')
    expect(check).not.toHaveBeenCalled()
  })

  test('a drain that begins while it runs', async () => {
    const state = { ready: true }
    const { port } = listening(state, {
      check: async () => {
        state.ready = false
        return true
      },
    })
    expect(await ask(await port, '/readyz')).toEqual([503, '{"status":"draining"}'])
  })

  test('who asks while one runs has its answer; afterwards it is asked anew', async () => {
    const [both, answered] = [signal(), signal()]
    const check = vi.fn<() => Promise<boolean>>(() => answered.given.then(() => true))
    const handler = healthHandler({ ready: true }, { check })
    let asked = 0
    const port = await serve((request, response) => {
      handler(request, response)
      if (++asked === 2) both.give()
    })
    const asking = [ask(port, '/readyz'), ask(port, '/readyz')]
    await both.given
    answered.give()
    expect(await Promise.all(asking)).toEqual([[200, '{"status":"ready"}'], [200, '{"status":"ready"}']])
    expect(check).toHaveBeenCalledTimes(1)
    await ask(port, '/readyz')
    expect(check).toHaveBeenCalledTimes(2)
  })

  test('one that hangs for ever does not block the next', async () => {
    const check = vi.fn<() => Promise<boolean>>().mockReturnValueOnce(new Promise(() => {})).mockResolvedValue(true)
    const { port } = listening({ ready: true }, { check, checkTimeout: 20 })
    expect(await ask(await port, '/readyz')).toEqual([503, '{"status":"not-ready"}'])
    expect(await ask(await port, '/readyz')).toEqual([200, '{"status":"ready"}'])
  })

  test('what it throws after its time is no unhandled rejection', async () => {
    const late = signal()
    const { port, told } = listening({ ready: true }, { check: () => late.given.then(() => Promise.reject(new Error('late'))), checkTimeout: 20 })
    expect(await ask(await port, '/readyz')).toEqual([503, '{"status":"not-ready"}'])
    late.give()
    await new Promise(setImmediate)
    expect(told).toEqual([new Error('no answer within 20ms')])
  })

  test('somebody who answered meanwhile is left alone', async () => {
    const go = signal()
    const handler = healthHandler({ ready: true }, { check: () => go.given.then(() => true) })
    const port = await serve((request, response) => {
      handler(request, response)
      response.writeHead(504).end('too late')
    })
    expect(await ask(port, '/readyz')).toEqual([504, 'too late'])
    go.give()
    await new Promise(setImmediate)
  })

  test('by default standard error is told, and a callback that throws is told as well', async () => {
    const printed = vi.spyOn(console, 'error').mockReturnValue(undefined)
    const check = () => {
      throw new Error('no database')
    }
    await ask(await serve(healthHandler({ ready: true }, { check })), '/readyz')
    expect(printed.mock.lastCall).toEqual(['hopwise: the readiness check failed: no database'])
    const onCheckFailed = () => {
      throw new Error('no logger')
    }
    expect(await ask(await serve(healthHandler({ ready: true }, { check, onCheckFailed })), '/readyz')).toEqual([503, '{"status":"not-ready"}'])
    expect(printed.mock.lastCall?.[0]).toContain('no logger')
  })
})

describe('options', () => {
  test.each([
    [{ readiness: 'readyz' }, 'health: option "readiness" is "readyz"; allowed: a path that begins with \'/\', without a query, or false'],
    [{ liveness: '/livez?x' }, 'option "liveness"'],
    [{ readiness: true }, 'option "readiness"'],
    [{ readiness: '/health', liveness: '/health' }, 'health: readiness and liveness have one path, "/health"; a drain turns only one of them off'],
    [{ readiness: '/livez' }, 'health: readiness and liveness have one path'],
    [{ check: true }, 'option "check"'],
    [{ checkTimeout: 0 }, 'option "checkTimeout"'],
    [{ onCheckFailed: 'log' }, 'option "onCheckFailed"'],
    [{ path: '/' }, 'health: unknown option "path"; allowed: readiness, liveness, check, checkTimeout, onCheckFailed'],
  ])('%j', (options, message) => {
    expect(() => healthHandler({ ready: true }, options as object)).toThrow(message)
  })

  test('of a hop', () => {
    expect(() => attach(createServer()).health({ path: '/' } as object)).toThrow('health: unknown option "path"')
  })
})
