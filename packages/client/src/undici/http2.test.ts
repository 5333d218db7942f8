import { afterEach, describe, expect, test } from 'vitest'
import { undiciBinding, undiciVersions, type TestRequest } from '../testing/bindings.js'
import { startHttp2Server, type StreamFault } from '../testing/http2-server.js'

const payload = 'tea'
const post: TestRequest = { method: 'POST', body: payload }
const keyed: TestRequest = { ...post, headers: { 'idempotency-key': 'order-1' } }
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function open(version: 6 | 7 | 8, fault: StreamFault, times: number, firstByteTimeout: '60s' | '500ms' = '60s') {
  const server = await startHttp2Server(({ path, before }) => (path === '/x' && before < times ? fault : 'ok'))
  const client = await undiciBinding(version, { allowH2: true, connect: { rejectUnauthorized: false } }).open({ random: () => 0, firstByteTimeout })
  closing.push(() => client.close(), () => server.close())
  const outcome = (request: TestRequest): Promise<number | string> =>
    client.send(`${server.origin}/x`, request).then(({ status }) => status, (error: unknown) => (error as { verdict?: string }).verdict ?? String(error))
  return { server, client, outcome }
}

describe.each(undiciVersions)('undici %i over HTTP/2', (version) => {
  test('a request comes through', async () => {
    const { server, outcome } = await open(version, 'ok', 0)
    expect(await outcome(post)).toBe(200)
    expect(server.seen).toMatchObject([{ method: 'POST', fields: { ':scheme': 'https' } }])
  })

  test('a refused stream: any method, once more', async () => {
    const { server, outcome } = await open(version, 'refuse', 1)
    expect(await outcome(post)).toBe(200)
    expect(server.count('/x')).toBe(2)
  })

  test('a stream that is refused again and again is sent twice, not more', async () => {
    const { server, outcome } = await open(version, 'refuse', 9)
    expect(await outcome(post)).not.toBe(200)
    expect(server.count('/x')).toBe(2)
  })

  test.each<[string, StreamFault]>([['GOAWAY that covers it', 'goaway-above'], ['a connection that is cut', 'cut']])('%s: a POST is sent once, a keyed one again', async (_what, fault) => {
    // undici 6 says nothing when the connection is cut: the time for the first byte ends the attempt.
    const time = version === 6 && fault === 'cut' ? '500ms' : '60s'
    const first = await open(version, fault, 9, time)
    expect(await first.outcome(post)).not.toBe(200)
    expect(first.server.count('/x')).toBe(1)
    const second = await open(version, fault, 1, time)
    expect(await second.outcome(keyed)).toBe(200)
    expect(second.server.count('/x')).toBe(2)
  })

  test('GOAWAY below it: a POST reaches no second handler', async () => {
    const { server, client, outcome } = await open(version, 'goaway-below', 1)
    await client.send(`${server.origin}/warm`)
    await outcome(post)
    // Where undici tells the ids apart (8) it is sent on a new session, since the server says that the first one does not count.
    expect(server.count('/x')).toBe(version === 8 ? 2 : 1)
  })

  test('503 and a key: again on the same session', async () => {
    const { server, outcome } = await open(version, 503, 1)
    expect(await outcome(keyed)).toBe(200)
    expect(server.seen.map(({ session }) => session)).toEqual([1, 1])
  })

  // undici 6 throws an uncaught TypeError then, with and without an interceptor: it counts its open requests wrongly (6.29).
  if (version === 6) return
  test.each<[string, StreamFault]>([['GOAWAY', 'goaway-above'], ['a cut connection', 'cut']])('%s while several POSTs are open: each is sent once', async (_what, fault) => {
    const server = await startHttp2Server(({ path }) => (path === '/warm' ? 'ok' : 'hold'))
    const client = await undiciBinding(version, { allowH2: true, connections: 1, pipelining: 10, connect: { rejectUnauthorized: false } }).open()
    closing.push(() => client.close(), () => server.close())
    await client.send(`${server.origin}/warm`)
    const abort = new AbortController()
    const calls = ['/a', '/b', '/c'].map((path) => client.send(`${server.origin}${path}`, { ...post, signal: abort.signal }).catch((error: unknown) => error))
    await server.arrived('/a')
    // undici 7 sends one POST after the other, the others all at once.
    if (version !== 7) await Promise.all([server.arrived('/b'), server.arrived('/c')])
    server.release('/a', fault)
    // What undici begins anew on another session would be there before this answer is.
    await calls[0]
    abort.abort()
    await Promise.all(calls)
    expect(server.count('/a')).toBe(1)
    if (version !== 7) expect([server.count('/b'), server.count('/c')]).toEqual([1, 1])
  })
})
