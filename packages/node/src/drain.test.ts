import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { requestText, rawConnect } from '@hopwise/testkit/adapter'
import { describe, expect, test } from 'vitest'
import { attachedServer, get, phase, signal } from './testing/attached-server.js'

const ok: RequestListener = (_request, response) => void response.end('ok')

/** Short enough to wait for, and only waited for where the passing of time is the matter. */
const quick = { drain: { idleGrace: 50, deadline: '5s' } } as const

async function refused(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  return once(socket, 'connect').then(
    () => {
      socket.destroy()
      return false
    },
    (error: NodeJS.ErrnoException) => error.code === 'ECONNREFUSED',
  )
}

describe('refuse-first', () => {
  test('an in-flight response says close, is whole, and the drain ends with it', async () => {
    const [began, go] = [signal(), signal()]
    const { hop, connect: open } = await attachedServer(async (_request, response) => {
      began.give()
      await go.given
      response.end('late')
    }, quick)
    const client = await open()
    client.write(get('/'))
    await began.given
    const drained = hop.drain()
    await phase(hop, 'draining')
    go.give()
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['late', 'close'])
    expect(await client.closed()).toBe('end')
    expect(await drained).toMatchObject({ mode: 'refuse-first', inFlight: 1, closed: { announced: 1, forced: 0 }, unfinished: 0 })
  })

  test('a new connection is refused while an old one is served to its end', async () => {
    const go = signal()
    const { hop, port, connect: open, server } = await attachedServer(async (_request, response) => {
      await go.given
      response.end()
    }, quick)
    const client = await open()
    client.write(get('/'))
    await once(server, 'request')
    const drained = hop.drain()
    expect(hop.ready).toBe(false)
    while (server.listening) await new Promise(setImmediate)
    expect(await refused(port)).toBe(true)
    go.give()
    expect((await client.response()).status).toBe(200)
    await drained
  })

  test('an idle connection has one more request, whose response says close', async () => {
    const { hop, connect: open } = await attachedServer(ok, { drain: { idleGrace: '5s', deadline: '10s' } })
    const client = await open()
    client.write(get('/1'))
    expect((await client.response()).field('connection')).toBe('keep-alive')
    const drained = hop.drain()
    await phase(hop, 'draining')
    client.write(get('/2'))
    expect((await client.response()).field('connection')).toBe('close')
    expect(await drained).toMatchObject({ servedWhileDraining: 1, closed: { announced: 1, idle: 0, forced: 0 } })
  })

  test('20 idle connections whose requests are in the kernel when the drain begins: all served', async () => {
    const { hop, connect: open } = await attachedServer(ok, quick)
    const clients = await Promise.all(Array.from({ length: 20 }, open))
    for (const client of clients) {
      client.write(get('/1'))
      await client.response()
    }
    for (const client of clients) client.write(get('/2'))
    // No turn of the event loop in between: the server has read nothing of it yet.
    const drained = hop.drain()
    const responses = await Promise.all(clients.map((client) => client.response()))
    expect(responses.map(({ status }) => status)).toEqual(Array.from({ length: 20 }, () => 200))
    expect(await drained).toMatchObject({ servedWhileDraining: 20, closed: { byPeer: 0, forced: 0 } })
  })

  test('connections that are in the accept queue when the drain begins are served', async () => {
    const { hop, port } = await attachedServer(ok, quick)
    const sockets = Array.from({ length: 20 }, () => connect(port, '127.0.0.1'))
    const responses = sockets.map(async (socket) => {
      socket.write(get('/'))
      const [bytes] = (await once(socket, 'data')) as [Buffer]
      return bytes.toString('latin1').split('\r\n')[0]
    })
    const drained = hop.drain()
    expect(new Set(await Promise.all(responses))).toEqual(new Set(['HTTP/1.1 200 OK']))
    await drained
    for (const socket of sockets) socket.destroy()
  })

  test('a connection that never spoke is let go after the grace', async () => {
    const { hop, connect: open } = await attachedServer(ok, quick)
    const client = await open()
    const drained = hop.drain()
    expect(await client.closed()).toBe('end')
    expect(await drained).toMatchObject({ closed: { idle: 1, forced: 0 } })
  })

  test.each([
    ['header', 20],
    ['body', requestText('POST', '/', {}, 'hello').length - 2],
  ])('a request whose %s is half there is served when the rest comes', async (_part, cut) => {
    const echo: RequestListener = async (request, response) => void response.end(await text(request))
    const { hop, server, connect: open } = await attachedServer(echo, { drain: { idleGrace: 10, deadline: '5s' } })
    const client = await open()
    const bytes = requestText('POST', '/', {}, 'hello')
    client.write(bytes.subarray(0, cut))
    const drained = hop.drain()
    await phase(hop, 'draining')
    while (server.listening) await new Promise(setImmediate)
    client.write(bytes.subarray(cut))
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['hello', 'close'])
    expect(await drained).toMatchObject({ closed: { announced: 1, forced: 0 } })
  })

  test('of pipelined requests all are served and only the last response says close', async () => {
    const [go, all] = [signal(), signal()]
    const { hop, connect: open } = await attachedServer(async (request, response) => {
      if (request.url === '/3') all.give()
      await go.given
      response.end(request.url)
    }, quick)
    const client = await open()
    client.write(Buffer.concat([get('/1'), get('/2'), get('/3')]))
    await all.given
    const drained = hop.drain()
    await phase(hop, 'draining')
    go.give()
    const responses = [await client.response(), await client.response(), await client.response()]
    expect(responses.map((response) => `${response.body.toString()} ${response.field('connection')}`)).toEqual(['/1 keep-alive', '/2 keep-alive', '/3 close'])
    await drained
  })

  test('a request behind a response that said close does not run', async () => {
    const ran: string[] = []
    const go = signal()
    const { hop, connect: open } = await attachedServer(async (request, response) => {
      ran.push(request.url ?? '')
      response.write('head')
      await go.given
      response.end('tail')
    }, { drain: { idleGrace: '1s', deadline: '5s' } })
    const client = await open()
    const other = await open()
    other.write(get('/other'))
    await other.bytes(1)
    const drained = hop.drain()
    await phase(hop, 'draining')
    client.write(get('/1'))
    await client.bytes(1)
    client.write(get('/2'))
    // When the other exchange is over, what was written to this connection before has been read as well.
    go.give()
    const response = await client.response()
    expect([response.field('connection'), response.body.toString()]).toEqual(['close', 'headtail'])
    expect(await client.closed()).toBe('end')
    expect(ran).toEqual(['/other', '/1'])
    await drained
  })

  test('a slow reader gets the whole of 20 MB', async () => {
    const size = 20 * 2 ** 20
    const { hop, server, connect: open } = await attachedServer((_request, response) => void response.end(Buffer.alloc(size, 'x')), { drain: { deadline: '20s' } })
    const client = await open()
    client.socket.pause()
    client.write(get('/'))
    await once(server, 'request')
    const drained = hop.drain()
    await phase(hop, 'draining')
    client.socket.resume()
    expect((await client.response()).body.length).toBe(size)
    expect(await drained).toMatchObject({ closed: { forced: 0 } })
  })

  test('a response that began before the drain keeps its word, and its idle connection goes after the grace', async () => {
    const go = signal()
    const { hop, connect: open } = await attachedServer(async (_request, response) => {
      response.write('a')
      await go.given
      response.end('b')
    }, quick)
    const client = await open()
    client.write(get('/'))
    await client.bytes(1)
    const drained = hop.drain()
    go.give()
    const response = await client.response()
    expect([response.body.toString(), response.field('connection')]).toEqual(['ab', 'keep-alive'])
    expect(await drained).toMatchObject({ closed: { idle: 1, forced: 0 } })
  })

  test('what does not end is cut at the deadline, and counted', async () => {
    const { hop, server, connect: open } = await attachedServer((_request, response) => void response.write('never ends'), { drain: { deadline: 300 } })
    const client = await open()
    client.write(get('/'))
    await once(server, 'request')
    const report = await hop.drain()
    expect(report).toMatchObject({ inFlight: 1, closed: { forced: 1 } })
    expect(report.milliseconds).toBeGreaterThanOrEqual(300)
    await client.closed()
    expect(hop.phase).toBe('closed')
  })

  test('a handler whose client is gone holds the drain until it is done', async () => {
    const [began, go] = [signal(), signal()]
    let closedSeen = false
    const { hop, server, connect: open } = await attachedServer(async (_request, response) => {
      // As the capture of an idempotent response does: the handler is not told.
      const emit = response.emit.bind(response)
      response.emit = (event: string, ...args: unknown[]) => (event === 'close' && !closedSeen ? ((closedSeen = true), true) : emit(event, ...args))
      began.give()
      await go.given
      emit('close')
    }, quick)
    const client = await open()
    client.write(get('/'))
    await began.given
    client.destroy()
    while (!closedSeen) await new Promise(setImmediate)
    let over = false
    const drained = hop.drain().then((report) => {
      over = true
      return report
    })
    await phase(hop, 'draining')
    while (server.listening) await new Promise(setImmediate)
    expect(over).toBe(false)
    go.give()
    expect(await drained).toMatchObject({ unfinished: 0, closed: { forced: 0 } })
  })

  test('concurrent drains are one', async () => {
    const { hop } = await attachedServer(ok, quick)
    const [first, second] = await Promise.all([hop.drain(), hop.drain()])
    expect(first).toBe(second)
  })
})

describe('announce-first', () => {
  test('goes on accepting and keeping connections, then closes in a quiet moment', async () => {
    const { hop, server, port, connect: open } = await attachedServer(ok, {
      drain: { mode: 'announce-first', announceFor: 150, quietWindow: 50, idleGrace: 50, deadline: '5s' },
    })
    const client = await open()
    const phases: string[] = []
    hop.on('phase', ({ phase: entered }) => phases.push(entered))
    const drained = hop.drain()
    expect([hop.ready, hop.phase, server.listening]).toEqual([false, 'announcing', true])
    client.write(get('/'))
    expect((await client.response()).field('connection')).toBe('keep-alive')
    const late = await rawConnect(port)
    late.write(get('/'))
    expect((await late.response()).status).toBe(200)
    const report = await drained
    expect(phases).toEqual(['announcing', 'draining', 'closed'])
    expect(report).toMatchObject({ mode: 'announce-first', servedWhileDraining: 2, closed: { forced: 0 } })
    expect(await refused(port)).toBe(true)
    late.destroy()
  })
})
