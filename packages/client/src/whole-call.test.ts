import { afterEach, describe, expect, test } from 'vitest'
import { createClient, type ClientOptions } from './client.js'
import { answeredEvidence, noEvidence, nothingSent, overall, type Evidence } from './evidence.js'
import { RequestError } from './request-error.js'
import { ok, startFaultServer, type Fault, type FaultServer } from './testing/fault-server.js'
import { manualClock } from './testing/manual-clock.js'

const closing: FaultServer[] = []
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close()
})
const keyed = { method: 'POST', body: 'tea', headers: { 'idempotency-key': 'order-1' } }

/** A server, and a client whose attempts after the first one go where nobody listens. */
async function leaving(fault: Fault, options: ClientOptions = {}) {
  const server = await startFaultServer(() => fault)
  const gone = await startFaultServer(() => ok)
  await gone.close()
  closing.push(server)
  let attempts = 0
  const client = createClient({ random: () => 0, fetch: (input, init) => fetch((attempts += 1) === 1 ? input : `${gone.origin}/x`, init), ...options })
  return { server, client }
}

describe('what is said of a call is of all of its attempts', () => {
  test.each<[string, Fault, object]>([
    ['lost', 'fin', { verdict: 'fresh-loss', sent: true }],
    ['answered', { status: 503 }, { verdict: 'response-started', sent: true }],
  ])('one was %s, and the others met nobody: it may have been served', async (_what, fault, known) => {
    const { server, client } = await leaving(fault)
    const failed: unknown[] = []
    client.on('failed', (event) => failed.push(event))
    await expect(client(`${server.origin}/x`, keyed)).rejects.toMatchObject({ ...known, attempts: 3, code: 'ECONNREFUSED' })
    expect(server.count('/x')).toBe(1)
    expect(failed).toMatchObject([{ verdict: (known as { verdict: string }).verdict, evidence: { sent: true } }])
  })

  test('getBody fails the second time', async () => {
    const { server, client } = await leaving('fin')
    let made = 0
    const getBody = (): string => {
      if ((made += 1) === 2) throw new Error('the file is gone')
      return 'tea'
    }
    await expect(client(`${server.origin}/x`, { method: 'PUT', getBody })).rejects.toMatchObject({ verdict: 'fresh-loss', sent: true, attempts: 2 })
    expect(server.count('/x')).toBe(1)
  })

  test('what getBody sends is no part of the call', async () => {
    const files = await startFaultServer(() => ok)
    const gone = await startFaultServer(() => ok)
    await gone.close()
    closing.push(files)
    const getBody = async (): Promise<string> => (await fetch(files.origin)).text()
    await expect(createClient({ random: () => 0 })(`${gone.origin}/x`, { method: 'PUT', getBody })).rejects.toMatchObject({ verdict: 'not-sent', sent: false, attempts: 3 })
    expect(files.seen).toHaveLength(3)
  })

  test('a reason that is no proper error is told as it is', async () => {
    const reason = Object.defineProperty(new Error('enough'), 'name', { get: () => { throw new Error('no name') } })
    await expect(createClient()('http://a.example', { signal: AbortSignal.abort(reason) })).rejects.toMatchObject({ name: 'AbortError', verdict: 'aborted', cause: reason })
  })

  test('the deadline is over while the body of a redirect is read', async () => {
    const clock = manualClock()
    const respond = (): Response => new Response(new ReadableStream(), { status: 307, headers: { location: '/end' } })
    const client = createClient({ clock, deadline: '100ms', fetch: async () => respond() })
    const call = client('http://a.example/x', { method: 'POST', body: 'tea' })
    // The 250 ms that a body has which nobody wants.
    await clock.waitsFor(250)
    clock.advance(100)
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError', verdict: 'response-started', sent: true, attempts: 1 })
  })

  const lost: Evidence = { ...noEvidence, sent: true, reused: true }
  const refused: Evidence = { ...noEvidence, sent: true, refused: true }
  test.each<[string, Evidence, Evidence, Evidence]>([
    ['nothing before', nothingSent, refused, refused],
    ['a loss, then nobody', lost, nothingSent, lost],
    ['a loss, then a refusal', lost, refused, lost],
    ['a loss, then the caller gives up while connecting', lost, { ...nothingSent, aborted: true }, { ...lost, aborted: true }],
    ['unknown, then nobody', noEvidence, nothingSent, noEvidence],
    ['a refusal, then a loss', refused, lost, lost],
    ['an answer, then a loss', answeredEvidence, lost, lost],
  ])('%s', (_what, before, last, both) => {
    expect(overall(before, last)).toEqual(both)
  })
})

describe('a fetch that is wrapped and fails as the standard has it, by a TypeError without a cause', () => {
  const client = (calls: unknown[]) => createClient({
    random: () => 0,
    fetch: async (input) => {
      calls.push(input)
      throw new TypeError('Failed to fetch')
    },
  })

  test.each([['GET', 3], ['POST', 1]])('%s: %i sends', async (method, sends) => {
    const calls: unknown[] = []
    await expect(client(calls)('http://a.example/x', { method })).rejects.toMatchObject({ verdict: 'fresh-loss', sent: 'unknown', attempts: sends })
    expect(calls).toHaveLength(sends)
  })

  test('a mistake of the caller is told once, as by the fetch of the runtime', async () => {
    const wrapped = createClient({ random: () => 0, fetch: (input, init) => fetch(input, init) })
    await expect(wrapped('http://user:secret@a.example/x')).rejects.toMatchObject({ attempts: 1 })
    await expect(wrapped('http://a.example/x', { body: 'tea' })).rejects.toMatchObject({ attempts: 1 })
  })
})

describe('a problem document that does not come', () => {
  const stalled = (): Response => new Response(new ReadableStream({ start: (controller) => controller.enqueue(Buffer.from('{"type"')) }), { status: 409, headers: { 'content-type': 'application/problem+json' } })

  test('is not waited for: the response is handed over', async () => {
    const clock = manualClock()
    const call = createClient({ clock, fetch: async () => stalled() })('http://a.example/x', keyed)
    await clock.waitsFor(250)
    clock.advance(250)
    expect((await call).status).toBe(409)
  })

  test('does not hold an abort up', async () => {
    const clock = manualClock()
    const controller = new AbortController()
    const call = createClient({ clock, fetch: async () => stalled() })('http://a.example/x', { ...keyed, signal: controller.signal })
    await clock.waitsFor(250)
    controller.abort()
    await expect(call).rejects.toMatchObject({ name: 'AbortError', verdict: 'aborted', sent: true })
  })
})

describe('a redirect', () => {
  test('to a URL in UTF-8 is followed there', async () => {
    const location = Buffer.from('/café?q=☕').toString('latin1')
    const server = await startFaultServer(({ target }) => (target === '/x' ? { status: 302, fields: { location } } : ok))
    closing.push(server)
    expect((await createClient()(`${server.origin}/x`)).status).toBe(200)
    expect(server.seen.at(-1)?.target).toBe('/caf%C3%A9?q=%E2%98%95')
  })

  test.each(['http://[bad', 'ftp://a.example/secret'])('to %s fails the call, which is told', async (location) => {
    const server = await startFaultServer(() => ({ status: 302, fields: { location } }))
    closing.push(server)
    const client = createClient()
    const failed: unknown[] = []
    client.on('failed', (event) => failed.push(event))
    const error: unknown = await client(`${server.origin}/x`).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(RequestError)
    expect(error).toMatchObject({ verdict: 'response-started', sent: true, attempts: 1 })
    expect(failed).toMatchObject([{ verdict: 'response-started' }])
  })
})
