import { once } from 'node:events'
import { Agent, createServer, get, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { customHop } from '@hopwise/core'
import { afterEach, describe, expect, test } from 'vitest'
import { agentIdleLimit } from './agent-idle.js'
import { lintAgent } from './lint-agent.js'
import { safeAgent } from './safe-agent.js'

const closing: (() => void)[] = []
afterEach(() => {
  for (const close of closing.splice(0)) close()
})

/** A server that says how long it keeps connections, and keeps them. */
async function start(keepAlive: string) {
  const server = createServer((_request, response) => {
    response.setHeader('keep-alive', keepAlive)
    response.end('ok')
  })
  server.keepAliveTimeout = 0
  const sockets: Socket[] = []
  server.on('connection', (socket) => sockets.push(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  closing.push(() => server.close(), () => server.closeAllConnections())
  return { port: (server.address() as AddressInfo).port, sockets }
}

async function request(port: number, agent: Agent): Promise<{ reused: boolean; socket: Socket }> {
  const sent = get({ host: '127.0.0.1', port, agent })
  const [response] = (await once(sent, 'response')) as [IncomingMessage]
  const { socket } = response
  response.resume()
  await once(response, 'end')
  return { reused: sent.reusedSocket, socket }
}

describe('how long an agent keeps an idle connection', () => {
  test.each<[string | undefined, number | undefined, number]>([
    [undefined, undefined, 4_000],
    ['timeout=5', undefined, 4_000],
    ['timeout=65, max=100', undefined, 64_000],
    ['max=100, timeout = 20', undefined, 19_000],
    ['timeout=1', undefined, 0],
    ['timeout=0', undefined, 0],
    ['timeout=soon', undefined, 4_000],
    [undefined, 57_000, 57_000],
    ['timeout=65', 57_000, 57_000],
    ['timeout=10', 57_000, 9_000],
  ])('hint %s, chain %s: %i ms', (hint, chain, ms) => {
    expect(agentIdleLimit(hint, chain, 1_000)).toBe(ms)
  })
})

describe('safeAgent', () => {
  test("uses a connection again, and closes it before the server's hint is over", async () => {
    const { port, sockets } = await start('timeout=2')
    const agent = safeAgent('http:', { margin: '1700ms' })
    closing.push(() => agent.destroy())
    await request(port, agent)
    const { reused } = await request(port, agent)
    expect(reused).toBe(true)
    expect(sockets).toHaveLength(1)
    // 300 ms, and it is the client that closes.
    if (sockets[0]?.readableEnded !== true) await once(sockets[0] as Socket, 'end')
  })

  test('closes it before the first hop of the chain does', async () => {
    const { port, sockets } = await start('timeout=60')
    const agent = safeAgent('http:', { chain: [customHop({ name: 'front', downstream: { idle: '300ms' } })], margin: '100ms' })
    closing.push(() => agent.destroy())
    await request(port, agent)
    await once(sockets[0] as Socket, 'end')
  })

  test('keeps none where the server gives no time', async () => {
    const { port } = await start('timeout=0')
    const agent = safeAgent('http:')
    closing.push(() => agent.destroy())
    await request(port, agent)
    expect((await request(port, agent)).reused).toBe(false)
  })

  test('does not hurry a request on a connection that was idle', async () => {
    const { port } = await start('timeout=2')
    const agent = safeAgent('http:', { margin: '1700ms' })
    closing.push(() => agent.destroy())
    await request(port, agent)
    const sent = get({ host: '127.0.0.1', port, agent })
    const [socket] = (await once(sent, 'socket')) as [Socket]
    expect([sent.reusedSocket, socket.timeout ?? 0]).toEqual([true, 0])
    const [response] = (await once(sent, 'response')) as [IncomingMessage]
    response.resume()
    await once(response, 'end')
  })

  test('is an agent of the protocol, with the options of one', () => {
    const agent = safeAgent('https:', { agent: { maxSockets: 3, rejectUnauthorized: false } })
    expect(agent).toBeInstanceOf(HttpsAgent)
    expect([agent.maxSockets, (agent as HttpsAgent).options.rejectUnauthorized]).toEqual([3, false])
    expect(() => safeAgent('http:', { keepAlive: true } as never)).toThrow(/safeAgent: unknown option "keepAlive"/)
    expect(() => safeAgent('http:', { agent: { keepAlive: false } } as never)).toThrow('safeAgent: option "agent" has "keepAlive", which safeAgent decides')
    expect(() => safeAgent('http:', { agent: { timeout: 5_000 } } as never)).toThrow('safeAgent: option "agent" has "timeout", which safeAgent decides')
    expect(safeAgent('http:', { agent: { keepAlive: true, timeout: undefined } } as never)).toBeInstanceOf(Agent)
    expect(() => safeAgent('https' as never)).toThrow('safeAgent: the protocol is "https"; allowed: "http:" or "https:"')
  })
})

describe('lintAgent', () => {
  const chain = ['alb'] as const
  test('finds the trap', () => {
    for (const agent of [new Agent({ keepAlive: true }), new HttpsAgent({ keepAlive: true, timeout: 0 })]) {
      expect(lintAgent(agent)).toMatchObject([{ rule: 'agent-never-expires', severity: 'error' }])
    }
  })

  test('that is what the trap does: the connection has no timeout, whatever the server says', async () => {
    const { port, sockets } = await start('timeout=2')
    const agent = new Agent({ keepAlive: true })
    closing.push(() => agent.destroy())
    const { socket } = await request(port, agent)
    expect([socket.timeout ?? 0, sockets[0]?.readableEnded]).toEqual([0, false])
    expect((await request(port, agent)).reused).toBe(true)
  })

  test('finds an agent that outlives the first hop', () => {
    expect(lintAgent(new Agent({ keepAlive: true, timeout: 60_000 }), { chain })).toMatchObject([{ rule: 'agent-outlives-hop', what: 'the agent keeps idle connections for 60s, and may for 57s' }])
    expect(lintAgent(new Agent({ keepAlive: true, timeout: 57_000 }), { chain })).toEqual([])
    expect(lintAgent(new Agent({ keepAlive: true, timeout: 600_000 }))).toEqual([])
  })

  test('has nothing against agents without keep-alive, and those of safeAgent', () => {
    expect(lintAgent(new Agent())).toEqual([])
    expect(lintAgent(safeAgent('http:', { chain }), { chain })).toEqual([])
    expect(lintAgent(safeAgent('http:'), { chain })).toEqual([])
    const brief = [customHop({ name: 'front', downstream: { idle: '1s' } })]
    expect(lintAgent(safeAgent('http:', { chain: brief }), { chain: brief })).toEqual([])
  })

  test('finds an agent of safeAgent that was made for another chain', () => {
    const [finding] = lintAgent(safeAgent('http:', { chain }), { chain: ['node'] })
    expect(finding).toMatchObject({ rule: 'agent-outlives-hop', what: 'the agent keeps idle connections for 57s, and may for 2500ms' })
    expect(finding?.fix).toContain("safeAgent('http:', { chain })")
  })

  test('of what is no agent is an error', () => {
    for (const wrong of [undefined, null, {}]) expect(() => lintAgent(wrong as never)).toThrow('lintAgent: expected an agent of node:http or node:https')
  })
})
