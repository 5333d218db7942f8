import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { requestText } from '@hopwise/testkit/adapter'
import { describe, expect, test } from 'vitest'
import { attachedServer, get, pass, phase, signal } from './testing/attached-server.js'

const ok: RequestListener = (request, response) => void response.end(request.url)
const never: RequestListener = (_request, response) => void response.write('never ends')

describe('the options of one drain', () => {
  test('a deadline in the place of the policy\'s', async () => {
    const { hop, server, connect } = await attachedServer(never, { drain: { deadline: '1m' } })
    const client = await connect()
    client.write(get('/'))
    await once(server, 'request')
    const report = await hop.drain({ deadline: 200 })
    expect(report).toMatchObject({ closed: { forced: 1 } })
    expect(report.milliseconds).toBeGreaterThanOrEqual(200)
    expect(report.milliseconds).toBeLessThan(300)
    await client.closed()
  })

  test('a later call may bring it nearer, and never puts it off; all get the same report', async () => {
    const { hop, server, connect } = await attachedServer(never, { drain: { deadline: '1m' } })
    const client = await connect()
    client.write(get('/'))
    await once(server, 'request')
    const reports = await Promise.all([hop.drain(), hop.drain({ deadline: '30s' }), hop.drain({ deadline: 150 }), hop.drain({ deadline: '50s' })])
    expect(new Set(reports).size).toBe(1)
    expect(reports[0].milliseconds).toBeLessThan(300)
    client.destroy()
  })

  test('a signal forces the end at once, and an aborted one too', async () => {
    for (const early of [false, true]) {
      const { hop, server, connect } = await attachedServer(never, { drain: { deadline: '1m' } })
      const client = await connect()
      client.write(get('/'))
      await once(server, 'request')
      const force = new AbortController()
      if (early) force.abort()
      const drained = hop.drain({ signal: force.signal })
      force.abort()
      expect(await drained).toMatchObject({ closed: { forced: 1 } })
      expect([hop.phase, server.listening]).toEqual(['closed', false])
      await client.closed()
    }
  })

  test('in the middle of announcing as well', async () => {
    const { hop, server } = await attachedServer(ok, { drain: { mode: 'announce-first' } })
    const force = new AbortController()
    const drained = hop.drain({ signal: force.signal })
    expect(hop.phase).toBe('announcing')
    force.abort()
    await drained
    expect(server.listening).toBe(false)
  })

  test.each([
    [{ deadlin: 1 }, /drain: unknown option "deadlin"; allowed: deadline, signal/],
    [{ deadline: 'soon' }, /drain: option "deadline" is "soon"/],
    [{ signal: true }, /drain: option "signal" is true; allowed: an AbortSignal/],
  ])('%j is an error, and nothing begins', async (options, message) => {
    const { hop } = await attachedServer(ok, {})
    expect(() => hop.drain(options as never)).toThrow(message)
    expect(hop.phase).toBe('ready')
  })

  test('a server that never listened is drained at once', async () => {
    const { createServer } = await import('node:http')
    const { attach } = await import('./index.js')
    expect(await attach(createServer()).drain()).toMatchObject({ closed: { announced: 0, idle: 0, byPeer: 0, forced: 0 } })
  })
})

test('an upload that was answered early, and came to its end before the drain, leaves an idle connection', async () => {
  const { hop, connect } = await attachedServer((_request, response) => void response.writeHead(413).end('too large'), { drain: { idleGrace: 20, deadline: '10s' } })
  const client = await connect()
  client.write(requestText('POST', '/', { 'content-length': '10' }, 'half'))
  expect((await client.response()).status).toBe(413)
  client.write(' whole')
  const report = await hop.drain()
  expect(report).toMatchObject({ closed: { idle: 1, forced: 0 } })
  expect(report.milliseconds).toBeLessThan(5_000)
})

describe('the report', () => {
  test('counts by phase what arrived', async () => {
    const hold = signal()
    const { hop, connect } = await attachedServer(async (request, response) => {
      if (request.url === '/hold') await hold.given
      response.end()
    }, { drain: { mode: 'announce-first', announceFor: 300, quietWindow: 0, idleGrace: '2s', deadline: '10s' } })
    const [one, two, three] = [await connect(), await connect(), await connect()]
    one.write(get('/hold'))
    const drained = hop.drain()
    two.write(get('/while-announcing'))
    await two.response()
    const late = await connect()
    late.write(get('/late'))
    await late.response()
    await phase(hop, 'draining')
    three.write(get('/while-draining'))
    expect((await three.response()).field('connection')).toBe('close')
    hold.give()
    await one.response()
    two.destroy()
    late.destroy()
    const report = await drained
    expect(report).toMatchObject({
      servedWhileDraining: 4,
      phases: { announcing: { requests: 3, connections: 1 }, draining: { requests: 1, connections: 0 } },
      closed: { announced: 2, byPeer: 2, idle: 0, forced: 0 },
    })
    expect(report.phases.announcing.milliseconds + report.phases.draining.milliseconds).toBeLessThanOrEqual(report.milliseconds + 2)
    expect(report.phases.announcing.milliseconds).toBeGreaterThanOrEqual(299)
  })
})

describe('near the deadline', () => {
  test.each([
    ['a request gets 503, Retry-After and close instead of being begun and cut', 10_000, true],
    ['before that it is served', 0, false],
  ])('%s', async (_what, shedWithin, sheds) => {
    const ran: string[] = []
    const { hop, connect } = await attachedServer((request, response) => {
      ran.push(request.url ?? '')
      if (request.url !== '/hold') response.end('served')
    }, { drain: { deadline: 10_000, shedWithin, idleGrace: '10s' } })
    const [holding, late] = [await connect(), await connect()]
    holding.write(get('/hold'))
    const force = new AbortController()
    const drained = hop.drain({ signal: force.signal })
    await phase(hop, 'draining')
    late.write(requestText('POST', '/late', {}, 'body'))
    const answer = await late.response()
    expect([answer.status, answer.field('retry-after'), answer.field('connection')]).toEqual(sheds ? [503, '1', 'close'] : [200, undefined, 'close'])
    if (sheds) expect(JSON.parse(answer.body.toString())).toMatchObject({ type: 'urn:hopwise:problem:server-stopping' })
    force.abort()
    expect(await drained).toMatchObject({ shed: sheds ? 1 : 0, servedWhileDraining: sheds ? 1 : 2 })
    expect(ran).toEqual(sheds ? ['/hold'] : ['/hold', '/late'])
  })

  test('idle connections go one after another, the longest idle first, and are all gone before it', async () => {
    const { hop, connect } = await attachedServer(ok, { drain: { deadline: 2_000, idleGrace: '1m' } })
    const clients = []
    for (let index = 0; index < 5; index++) {
      const client = await connect()
      client.write(get(`/${index}`))
      await client.response()
      clients.push(client)
      await pass(20)
    }
    const order: number[] = []
    const gone = clients.map(async (client, index) => {
      await client.closed()
      order.push(index)
    })
    const drained = hop.drain()
    await Promise.all(gone)
    expect(order).toEqual([0, 1, 2, 3, 4])
    for (const client of clients) client.destroy()
    expect(await drained).toMatchObject({ closed: { idle: 5, forced: 0 } })
  })
})

describe('Expect: 100-continue while draining', () => {
  const head = requestText('POST', '/', { expect: '100-continue', 'content-length': '5' })
  const echo: RequestListener = (request, response) => {
    let body = ''
    request.on('data', (chunk) => (body += String(chunk))).on('end', () => response.end(body))
  }

  test.each(['by Node itself', 'by the application'])('is asked for %s, and the request is served and says close', async (by) => {
    const { hop, server, connect } = await attachedServer(echo, { drain: { idleGrace: '5s', deadline: '10s' } })
    if (by === 'by the application') {
      server.on('checkContinue', (request, response) => {
        response.writeContinue()
        server.emit('request', request, response)
      })
    }
    const client = await connect()
    const drained = hop.drain()
    await phase(hop, 'draining')
    client.write(head)
    const proceed = 'HTTP/1.1 100 Continue\r\n\r\n'
    expect(await client.bytes(proceed.length)).toBe(proceed)
    client.write('hello')
    expect(await client.closed()).toBe('end')
    const all = await client.bytes(proceed.length + 1)
    expect(all).toContain('connection: close'.replace('c', 'C'))
    expect(all.endsWith('hello')).toBe(true)
    expect(await drained).toMatchObject({ servedWhileDraining: 1, closed: { announced: 1, forced: 0 } })
  })
})

describe('an upload that goes on while the server drains', () => {
  test('is taken to its end', async () => {
    const size = 5 * 2 ** 20
    const { hop, server, connect } = await attachedServer((request, response) => {
      let received = 0
      request.on('data', (chunk: Buffer) => (received += chunk.length)).on('end', () => response.end(String(received)))
    }, { drain: { idleGrace: 10, deadline: '10s' } })
    const client = await connect()
    client.write(requestText('POST', '/', { 'content-length': String(size) }))
    await once(server, 'request')
    const drained = hop.drain()
    await phase(hop, 'draining')
    for (let sent = 0; sent < size; sent += 2 ** 16) {
      client.write(Buffer.alloc(2 ** 16))
      await new Promise(setImmediate)
    }
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual([String(size), 'close'])
    expect(await drained).toMatchObject({ closed: { announced: 1, forced: 0 } })
  })

  test('whose answer came early gets that answer, and not a reset', async () => {
    const { hop, server, connect } = await attachedServer((_request, response) => void response.writeHead(413).end('too large'), { drain: { idleGrace: 10, deadline: '10s' } })
    const client = await connect()
    const drained = hop.drain()
    await phase(hop, 'draining')
    client.write(requestText('POST', '/', { 'content-length': String(50 * 2 ** 20) }))
    await once(server, 'request')
    for (let sent = 0; sent < 20; sent++) {
      client.write(Buffer.alloc(2 ** 16))
      await new Promise(setImmediate)
    }
    const response = await client.response()
    expect([response.status, response.body.toString(), response.field('connection')]).toEqual([413, 'too large', 'close'])
    client.destroy()
    expect(await drained).toMatchObject({ closed: { announced: 1, forced: 0 } })
  })
})
