import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { builtIn, undiciBinding, undiciVersions, warmUp, type Binding } from './testing/bindings.js'
import { ok, startFaultServer, type Fault, type SeenRequest } from './testing/fault-server.js'
import { selfSigned, startHttp2Server } from './testing/http2-server.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
  for (const close of closing.splice(0)) await close()
})

let tls: { key: string; cert: string }
beforeAll(async () => {
  tls = await selfSigned()
})

const bindings: readonly Binding[] = [builtIn, ...undiciVersions.map((version) => undiciBinding(version))]
const post = { method: 'POST', body: 'tea' }
const keyed = { ...post, headers: { 'idempotency-key': 'order-1' } }

describe.each(bindings)('$name over TLS', (binding) => {
  async function open(decide: (request: SeenRequest) => Fault, trusted: boolean) {
    // Looked at when a connection is opened.
    if (trusted) process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    const server = await startFaultServer(decide, tls)
    const client = await binding.open({ random: () => 0 })
    closing.push(() => client.close(), () => server.close())
    const verdict = (request: typeof post): Promise<unknown> => client.send(`${server.origin}/x`, request).then(({ status }) => status, (error: unknown) => (error as { verdict: string }).verdict)
    return { server, client, verdict }
  }

  test.each<['fin' | 'rst']>([['fin'], ['rst']])('a reused connection that is closed (%s): a POST is sent once, a keyed one again', async (fault) => {
    const { server, client, verdict } = await open(({ target, nth }) => (target === '/x' && nth > 1 ? fault : ok), true)
    await warmUp(client.send, server)
    expect(await verdict(post)).toBe('stale-reuse')
    expect(server.count('/x')).toBe(1)
    await warmUp(client.send, server)
    expect(await verdict(keyed)).toBe(200)
    expect(server.count('/x')).toBe(3)
  })

  test('a new connection that is closed', async () => {
    const { server, verdict } = await open(() => 'fin', true)
    expect(await verdict(post)).toBe('fresh-loss')
    expect(server.count('/x')).toBe(1)
  })

  test('a header that breaks off', async () => {
    const { server, verdict } = await open(() => 'half-header', true)
    expect(await verdict(keyed)).toBe('response-started')
    expect(server.count('/x')).toBe(1)
  })

  test('a certificate that is not trusted is never tried again', async () => {
    const { server, client } = await open(() => ok, false)
    const error = await client.send(`${server.origin}/x`).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ verdict: 'not-sent', sent: false, attempts: 1, code: 'DEPTH_ZERO_SELF_SIGNED_CERT' })
  })
})

describe(`${builtIn.name} and a server of HTTP/2`, () => {
  test('a POST is sent once, a keyed one again: over HTTP/2 where this Node speaks it', async () => {
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    const server = await startHttp2Server(({ path, before }) => (path === '/post' || (path === '/keyed' && before === 0) ? 'cut' : 'ok'))
    const client = await builtIn.open({ random: () => 0 })
    closing.push(() => client.close(), () => server.close())
    // undici 8, of which fetch is made from Node 26 on, asks for HTTP/2; the fetch before it does not, and this server has nothing else.
    const speaks = Number(process.versions.node.split('.')[0]) >= 26
    const outcomes = await Promise.allSettled([client.send(`${server.origin}/post`, post), client.send(`${server.origin}/keyed`, keyed)])
    if (!speaks) return expect(outcomes.map(({ status }) => status)).toEqual(['rejected', 'rejected'])
    expect(outcomes).toMatchObject([{ status: 'rejected' }, { status: 'fulfilled', value: { status: 200 } }])
    expect([server.count('/post'), server.count('/keyed')]).toEqual([1, 2])
  })
})
