import type { RequestListener } from 'node:http'
import { requestText } from '@hopwise/testkit/adapter'
import { describe, expect, test } from 'vitest'
import { attachedServer, get, pass, signal } from './testing/attached-server.js'

const ok: RequestListener = (request, response) => void response.end(request.url)

/** Blocks the event loop. */
function block(milliseconds: number): void {
  const until = performance.now() + milliseconds
  while (performance.now() < until);
}

describe('an idle connection', () => {
  const second = { server: { keepAliveTimeout: '1s', keepAliveTimeoutBuffer: 0 } } as const

  test('is half-closed after keepAliveTimeout, and not reset', async () => {
    const { connect } = await attachedServer(ok, second)
    const client = await connect()
    client.write(get('/'))
    await client.response()
    const since = performance.now()
    expect(await client.closed()).toBe('end')
    expect(performance.now() - since).toBeGreaterThan(950)
  })

  test('20 of 20 requests that reach the kernel while the event loop is blocked beyond the deadline are served', async () => {
    const { connect, server } = await attachedServer(ok, second)
    const clients = await Promise.all(Array.from({ length: 20 }, connect))
    for (const client of clients) client.write(get('/1'))
    await Promise.all(clients.map((client) => client.response()))
    // The timers are due when this turn ends, and the requests are in the kernel: Node looks at its timers first.
    for (const client of clients) client.write(get('/2'))
    block(2_500)
    const served = await Promise.all(clients.map((client) => client.response()))
    expect(served.map((response) => response.body.toString())).toEqual(Array.from({ length: 20 }, () => '/2'))
    expect(server.listening).toBe(true)
  })

  test('one that never spoke lives as long, and gets no 408 at headersTimeout', async () => {
    const { connect } = await attachedServer(ok, { server: { keepAliveTimeout: '2s', headersTimeout: '1s', keepAliveTimeoutBuffer: 0 } })
    const client = await connect()
    const since = performance.now()
    expect(await client.closed()).toBe('end')
    expect(performance.now() - since).toBeGreaterThan(1_950)
    await expect(client.bytes(1)).rejects.toThrow('received: ""')
  })

  test('one that was quiet since it was opened has all of its time for its first request', async () => {
    const { connect } = await attachedServer(ok, { server: { keepAliveTimeout: '2s', headersTimeout: '1s', keepAliveTimeoutBuffer: 0 } })
    const client = await connect()
    await pass(1_500)
    client.write(get('/late'))
    expect((await client.response()).body.toString()).toBe('/late')
  })

  test('a handler that takes longer than keepAliveTimeout is no idle connection', async () => {
    const { connect } = await attachedServer((_request, response) => void setTimeout(() => response.end('slow'), 1_800), second)
    const client = await connect()
    client.write(get('/'))
    expect((await client.response()).body.toString()).toBe('slow')
  })

  test('a timeout that the application sets still works as Node says', async () => {
    const { connect, server } = await attachedServer(() => {}, {})
    server.setTimeout(300)
    const client = await connect()
    client.write(get('/'))
    expect(await client.closed()).toMatch(/end|reset/)
  })

  test('and one that it handles itself is its own affair', async () => {
    const seen = signal()
    const { connect } = await attachedServer((_request, response) => {
      response.setTimeout(200, () => {
        seen.give()
        response.end('handled')
      })
    }, {})
    const client = await connect()
    client.write(get('/'))
    await seen.given
    expect((await client.response()).body.toString()).toBe('handled')
  })
})

describe('a slow request', () => {
  const limits = { server: { headersTimeout: '1s', requestTimeout: '1s' } } as const

  test.each([
    ['header', 'GET / HTTP/1.1\r\nhost: te'],
    ['body', 'POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nhalf'],
  ])('whose %s does not come is answered 408 and closed, and told', async (part, beginning) => {
    const { connect, hop } = await attachedServer((request, response) => void request.on('end', () => response.end('never')).resume(), limits)
    const told: unknown[] = []
    hop.on('slowRequest', (event) => told.push(event.part))
    const client = await connect()
    client.write(beginning)
    const response = await client.response()
    expect([response.status, response.field('connection'), response.field('content-type')]).toEqual([408, 'close', 'application/problem+json'])
    expect(JSON.parse(response.body.toString())).toMatchObject({ type: 'urn:hopwise:problem:request-timeout', status: 408 })
    expect(await client.closed()).toBe('end')
    expect(told).toEqual([part])
  })

  test('that sends a byte now and then gets no more time (slowloris)', async () => {
    const { connect } = await attachedServer(ok, limits)
    const client = await connect()
    client.write('GET / HTTP/1.1\r\n')
    const drip = setInterval(() => client.write('a'), 50)
    const response = await client.response()
    clearInterval(drip)
    expect(response.status).toBe(408)
  })

  test('whose answer has begun is cut', async () => {
    const { connect } = await attachedServer((request, response) => {
      response.write('begun')
      request.resume()
    }, limits)
    const client = await connect()
    client.write('POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nhalf')
    await client.bytes(1)
    expect(await client.closed()).toMatch(/end|reset/)
  })

  test('that was answered before its body was complete: the rest is taken, and the connection is idle then', async () => {
    const { connect } = await attachedServer((_request, response) => void response.writeHead(413).end('too large'), limits)
    const client = await connect()
    client.write('POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nhalf')
    expect((await client.response()).status).toBe(413)
    client.write(' whole')
    await pass(1_500)
    client.write(requestText('POST', '/', {}, 'again'))
    expect((await client.response()).status).toBe(413)
  })

  test('that was answered early and whose rest does not come is cut', async () => {
    const { connect } = await attachedServer((_request, response) => void response.writeHead(413).end('too large'), limits)
    const client = await connect()
    client.write('POST / HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nhalf')
    expect((await client.response()).status).toBe(413)
    expect(await client.closed()).toMatch(/end|reset/)
  })

  test('behind another one has its own time, and never gets its 408 in the place of the other\'s answer', async () => {
    const go = signal()
    const { connect } = await attachedServer(async (request, response) => {
      if (request.url === '/1') await go.given
      else await new Promise((resolve) => request.resume().once('end', resolve))
      response.end(request.url)
    }, limits)
    const client = await connect()
    client.write(get('/1'))
    await pass(700)
    client.write('POST /2 HTTP/1.1\r\nhost: test\r\ncontent-length: 10\r\n\r\nhalf')
    await pass(1_500)
    go.give()
    const first = await client.response()
    expect([first.status, first.body.toString()]).toEqual([200, '/1'])
    expect((await client.response()).status).toBe(408)
  })

  test('that was whole in the kernel before the clock was looked at is served', async () => {
    const { connect } = await attachedServer(ok, limits)
    const client = await connect()
    client.write('GET /whole HTTP/1.1\r\n')
    await pass(700)
    client.write('host: test\r\n\r\n')
    block(1_500)
    expect((await client.response()).body.toString()).toBe('/whole')
  })

  test('a long handler of a request that has arrived is not slow', async () => {
    const { connect } = await attachedServer((request, response) => void request.resume().on('end', () => setTimeout(() => response.end('done'), 2_000)), limits)
    const client = await connect()
    client.write(requestText('POST', '/', {}, 'body'))
    expect((await client.response()).body.toString()).toBe('done')
  })
})

describe('the end of a connection that is worn', () => {
  test('by requests: the last response says close, and nothing is cut', async () => {
    const { connect } = await attachedServer(ok, { server: { maxRequestsPerConnection: 2 } })
    const client = await connect()
    client.write(get('/1'))
    expect((await client.response()).field('connection')).toBe('keep-alive')
    client.write(get('/2'))
    expect((await client.response()).field('connection')).toBe('close')
    expect(await client.closed()).toBe('end')
  })

  test('requests that were sent ahead are served beyond the number, not refused', async () => {
    const { connect } = await attachedServer((request, response) => void setImmediate(() => response.end(request.url)), { server: { maxRequestsPerConnection: 2 } })
    const client = await connect()
    client.write(Buffer.concat([get('/1'), get('/2'), get('/3'), get('/4')]))
    const responses = [await client.response(), await client.response(), await client.response(), await client.response()]
    expect(responses.map(({ status, body }) => `${status} ${body.toString()}`)).toEqual(['200 /1', '200 /2', '200 /3', '200 /4'])
    expect(responses.map((response) => response.field('connection'))).toEqual(['keep-alive', 'keep-alive', 'keep-alive', 'close'])
  })

  test('by age: the first response after 90 to 110 % of it says close', async () => {
    const { connect } = await attachedServer(ok, { server: { maxConnectionAge: '1s' } })
    const client = await connect()
    const since = performance.now()
    for (;;) {
      client.write(get('/'))
      const response = await client.response()
      const age = performance.now() - since
      if (response.field('connection') === 'close') {
        expect(age).toBeGreaterThan(895)
        break
      }
      expect(age).toBeLessThan(1_150)
      await pass(10)
    }
    expect(await client.closed()).toBe('end')
  })

  test('no connection is cut for its age: it waits for its next request', async () => {
    const { connect } = await attachedServer(ok, { server: { maxConnectionAge: '1s', keepAliveTimeout: '10s' } })
    const client = await connect()
    client.write(get('/'))
    await client.response()
    await pass(1_300)
    client.write(get('/'))
    expect((await client.response()).field('connection')).toBe('close')
  })
})

describe('maxConnections', () => {
  test('one more is answered 503 and closed, told, and let in when a place is free', async () => {
    const { connect, hop } = await attachedServer(ok, { server: { maxConnections: 2 } })
    const told: unknown[] = []
    hop.on('refused', (event) => told.push(event))
    const [first, second] = [await connect(), await connect()]
    const third = await connect()
    third.write(get('/'))
    const refused = await third.response()
    expect([refused.status, refused.field('retry-after'), refused.field('connection')]).toEqual([503, '1', 'close'])
    expect(JSON.parse(refused.body.toString())).toMatchObject({ type: 'urn:hopwise:problem:server-full' })
    expect(await third.closed()).toBe('end')
    expect(told).toEqual([{ limit: 2 }])
    second.write(get('/2'))
    expect((await second.response()).status).toBe(200)
    first.destroy()
    await expect.poll(async () => {
      const fourth = await connect()
      fourth.write(get('/4'))
      const { status } = await fourth.response()
      fourth.destroy()
      return status
    }).toBe(200)
  })

  test('the request of a refused connection does not run', async () => {
    const ran: string[] = []
    const { connect } = await attachedServer((request, response) => {
      ran.push(request.url ?? '')
      response.end()
    }, { server: { maxConnections: 1 } })
    await connect()
    const second = await connect()
    second.write(get('/never'))
    expect((await second.response()).status).toBe(503)
    await second.closed()
    expect(ran).toEqual([])
  })
})
