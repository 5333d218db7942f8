import { fork } from 'node:child_process'
import { once } from 'node:events'
import type { RequestListener } from 'node:http'
import type { Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { rawConnect, requestText } from '@hopwise/testkit/adapter'
import { describe, expect, onTestFinished, test } from 'vitest'
import { attachedServer, get, phase, signal } from './testing/attached-server.js'

const upgradeRequest = requestText('GET', '/ws', { connection: 'upgrade', upgrade: 'echo' })
const switching = 'HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n'

describe('an upgraded socket', () => {
  test('is told by the event and by its signal, after the listener has closed, and ends in its own way', async () => {
    const { server, hop, connect } = await attachedServer(() => {}, { drain: { streamSpread: 50, deadline: '5s' } })
    server.on('upgrade', (request, socket: Socket) => {
      socket.write(switching)
      socket.on('data', (chunk) => socket.write(chunk))
      hop.drainSignal(request).addEventListener('abort', () => socket.end('bye from its signal'))
    })
    const told: unknown[] = []
    hop.on('farewell', ({ request, socket, upgraded }) => told.push([request.url, socket.writable, upgraded, server.listening]))
    const client = await connect()
    client.write(upgradeRequest)
    await client.bytes(switching.length)
    const drained = hop.drain()
    await phase(hop, 'announcing')
    client.write('echo')
    expect(await client.bytes(switching.length + 'echobye from its signal'.length)).toBe(`${switching}echobye from its signal`)
    expect(await client.closed()).toBe('end')
    client.destroy()
    expect(await drained).toMatchObject({ farewells: 1, closed: { forced: 0 } })
    expect(told).toEqual([['/ws', false, true, false]])
  })

  test('that nobody ends is cut at the deadline', async () => {
    const { server, hop, connect } = await attachedServer(() => {}, { drain: { deadline: 300, streamSpread: 10 } })
    server.on('upgrade', (_request, socket: Socket) => void socket.write(switching))
    const client = await connect()
    client.write(upgradeRequest)
    await client.bytes(switching.length)
    const report = await hop.drain()
    expect(report).toMatchObject({ farewells: 1, closed: { forced: 1 } })
    expect(report.milliseconds).toBeLessThan(400)
    await client.closed()
  })

  test('of an application that knows no upgrade: the request is an ordinary one, as without Hopwise', async () => {
    const { connect } = await attachedServer((request, response) => void response.end(`ordinary ${request.headers.upgrade}`), {})
    const client = await connect()
    client.write(upgradeRequest)
    expect((await client.response()).body.toString()).toBe('ordinary echo')
  })

  test('of an application that stops listening for upgrades: ordinary again', async () => {
    const { server, connect } = await attachedServer((_request, response) => void response.end('ordinary'), {})
    const listener = (): void => {}
    server.on('upgrade', listener)
    server.off('upgrade', listener)
    expect(server.listenerCount('upgrade')).toBe(0)
    const client = await connect()
    client.write(upgradeRequest)
    expect((await client.response()).body.toString()).toBe('ordinary')
  })

  test('a CONNECT that nobody listens for is refused as by Node alone', async () => {
    const { connect } = await attachedServer(() => {}, {})
    const client = await connect()
    client.write('CONNECT other:443 HTTP/1.1\r\nhost: other:443\r\n\r\n')
    expect(await client.closed()).toMatch(/end|reset/)
  })
})

describe('an exchange without an end of its own', () => {
  const stream: (hop: () => import('./attach.js').Hop) => RequestListener = (hop) => (request, response) => {
    const ending = hop().drainSignal(request)
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: hello\n\n')
    ending.addEventListener('abort', () => response.end('event: bye\n\n'))
  }

  test('an event stream is told, says goodbye, and nothing is cut', async () => {
    const { hop, connect } = await attachedServer((request, response) => stream(() => hop)(request, response), { drain: { streamSpread: 50, deadline: '5s', idleGrace: 50 } })
    const client = await connect()
    client.write(get('/events'))
    await client.bytes(10)
    const drained = hop.drain()
    expect((await client.response()).body.toString()).toBe('data: hello\n\nevent: bye\n\n')
    expect(await drained).toMatchObject({ farewells: 1, closed: { forced: 0 } })
  })

  test('100 of them are told at moments of their own, all before half of the deadline', async () => {
    const { hop, connect } = await attachedServer((request, response) => stream(() => hop)(request, response), { drain: { streamSpread: '1s', deadline: '10s', idleGrace: 10 } })
    const clients = await Promise.all(Array.from({ length: 100 }, connect))
    for (const client of clients) client.write(get('/events'))
    await Promise.all(clients.map((client) => client.bytes(10)))
    const times: number[] = []
    hop.on('farewell', () => times.push(performance.now()))
    await hop.drain()
    const [first = 0, last = 0] = [times[0], times.at(-1)]
    expect(times).toHaveLength(100)
    // 100 moments in one second: all within a tenth of it happens to no one.
    expect(last - first).toBeGreaterThan(100)
    expect(last - first).toBeLessThan(3_000)
  })

  test('a deadline that comes nearer brings the telling nearer', async () => {
    const { hop, connect } = await attachedServer((request, response) => stream(() => hop)(request, response), { drain: { streamSpread: '10m', deadline: '1h', idleGrace: 10 } })
    const clients = await Promise.all(Array.from({ length: 10 }, connect))
    for (const client of clients) client.write(get('/events'))
    await Promise.all(clients.map((client) => client.bytes(10)))
    const drained = hop.drain()
    await phase(hop, 'draining')
    void hop.drain({ deadline: 2_000 })
    expect(await drained).toMatchObject({ farewells: 10, closed: { forced: 0 } })
  })

  test('one that asks while the server drains is told as well', async () => {
    const go = signal()
    const { hop, connect } = await attachedServer(async (request, response) => {
      await go.given
      stream(() => hop)(request, response)
    }, { drain: { streamSpread: 20, deadline: '5s' } })
    const client = await connect()
    client.write(get('/'))
    const drained = hop.drain()
    await phase(hop, 'draining')
    go.give()
    expect((await client.response()).body.toString()).toContain('bye')
    expect(await drained).toMatchObject({ farewells: 1, closed: { announced: 1, forced: 0 } })
  })

  test('the same request has one signal; one that is over is never aborted and leaves nothing behind', async () => {
    const signals: AbortSignal[] = []
    const { hop, connect } = await attachedServer((request, response) => {
      signals.push(hop.drainSignal(request), hop.drainSignal(request))
      response.end('short')
    }, { drain: { idleGrace: 10 } })
    const client = await connect()
    client.write(get('/'))
    await client.response()
    expect(signals[0]).toBe(signals[1])
    expect(await hop.drain()).toMatchObject({ farewells: 0 })
    expect(signals[0]?.aborted).toBe(false)
  })
})

test('after a drain nothing is left that keeps the process alive: no socket, no timer, and it ends by itself', async () => {
  const child = fork(fileURLToPath(new URL('testing/leak-server.mjs', import.meta.url)), { execArgv: [] })
  onTestFinished(() => void child.kill('SIGKILL'))
  const message = async () => ((await once(child, 'message')) as [{ port: number; resources: string[] }])[0]
  const { port, resources: before } = await message()
  const clients = await Promise.all(Array.from({ length: 10 }, () => rawConnect(port)))
  onTestFinished(() => {
    for (const client of clients) client.destroy()
  })
  for (const [index, client] of clients.entries()) if (index < 5) client.write(index === 0 ? upgradeRequest : get('/'))
  await Promise.all(clients.slice(0, 5).map((client) => client.bytes(1)))
  const looked = async () => {
    child.send('look')
    return (await message()).resources
  }
  // It takes one connection a turn.
  await expect.poll(looked).toEqual([...before, ...Array.from({ length: 10 }, () => 'TCPSocketWrap')])
  child.send('drain')
  // The clients close only now and then: what the server half-closed it lets go by itself.
  for (const client of clients.slice(0, 3)) client.destroy()
  expect((await message()).resources).toEqual(before.filter((name) => name !== 'TCPServerWrap'))
  const exited = once(child, 'exit')
  child.disconnect()
  expect(await exited).toEqual([0, null])
})
