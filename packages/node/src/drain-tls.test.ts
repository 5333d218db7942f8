import { once } from 'node:events'
import { Agent, request } from 'node:https'
import type { IncomingMessage, RequestListener } from 'node:http'
import { connect as connectTls } from 'node:tls'
import { generate } from 'selfsigned'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { attachedServer, phase, signal } from './testing/attached-server.js'

let tls: { key: string; cert: string }
beforeAll(async () => {
  const made = await generate([{ name: 'commonName', value: 'localhost' }])
  tls = { key: made.private, cert: made.cert }
})

async function get(port: number, path: string, agent: Agent): Promise<{ response: IncomingMessage; body: string }> {
  const outgoing = request({ host: '127.0.0.1', port, path, agent, rejectUnauthorized: false }).end()
  const [response] = (await once(outgoing, 'response')) as [IncomingMessage]
  let body = ''
  for await (const chunk of response) body += String(chunk)
  return { response, body }
}

function keepAliveAgent(): Agent {
  const agent = new Agent({ keepAlive: true })
  onTestFinished(() => agent.destroy())
  return agent
}

test('over TLS: what is in flight is served and says close, what is idle goes, and what never began its handshake too', async () => {
  const [began, go] = [signal(), signal()]
  const handler: RequestListener = async (incoming, response) => {
    if (incoming.url === '/slow') {
      began.give()
      await go.given
    }
    response.end(incoming.url)
  }
  const { hop, port, connect } = await attachedServer(handler, { drain: { idleGrace: 50, deadline: '5s' } }, tls)
  const [idle, busy] = [keepAliveAgent(), keepAliveAgent()]
  expect((await get(port, '/idle', idle)).response.headers.connection).toBe('keep-alive')
  const silent = await connect()
  const slow = get(port, '/slow', busy)
  await began.given
  const drained = hop.drain()
  await phase(hop, 'draining')
  go.give()
  const { response, body } = await slow
  expect([body, response.headers.connection]).toEqual(['/slow', 'close'])
  expect(await silent.closed()).toBe('end')
  expect(await drained).toMatchObject({ inFlight: 1, closed: { announced: 1, idle: 2, forced: 0 } })
})

test('over TLS: a slow reader gets the whole of 20 MB', async () => {
  const size = 20 * 2 ** 20
  const { hop, server, port } = await attachedServer((_request, response) => void response.end(Buffer.alloc(size, 'x')), { drain: { deadline: '20s' } }, tls)
  const socket = connectTls({ host: '127.0.0.1', port, rejectUnauthorized: false })
  onTestFinished(() => void socket.destroy())
  await once(socket, 'secureConnect')
  socket.pause()
  socket.write('GET / HTTP/1.1\r\nhost: test\r\n\r\n')
  await once(server, 'request')
  const drained = hop.drain()
  await phase(hop, 'draining')
  let received = 0
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
  })
  socket.resume()
  await once(socket, 'end')
  expect(received).toBeGreaterThan(size)
  expect(await drained).toMatchObject({ closed: { idle: 1, forced: 0 } })
})
