import { setImmediate as turn } from 'node:timers/promises'
import { afterEach, describe, expect, test } from 'vitest'
import { bindings, warmUp } from './testing/bindings.js'
import { ok, startFaultServer, type Fault, type SeenRequest } from './testing/fault-server.js'
import { manualClock } from './testing/manual-clock.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

interface Settled {
  value?: unknown
  error?: Record<string, unknown>
}

/** What a promise has come to by now. */
function watched(promise: Promise<unknown>): Settled {
  const settled: Settled = {}
  promise.then((value) => (settled.value = value), (error: unknown) => (settled.error = error as Record<string, unknown>))
  return settled
}

/** A few turns of the event loop: no timer, no network. */
async function turns(): Promise<void> {
  for (let n = 0; n < 5; n += 1) await turn()
}

describe.each(bindings)('$name', (binding) => {
  async function open(decide: (request: SeenRequest) => Fault, options: Parameters<typeof binding.open>[0] = {}) {
    const server = await startFaultServer((request) => (request.target === '/warm' ? ok : decide(request)))
    const clock = manualClock(Date.UTC(2026, 10, 27))
    const client = await binding.open({ clock, random: () => 0.5, ...options })
    closing.push(() => client.close(), () => server.close())
    return { server, client, clock, url: `${server.origin}/x` }
  }

  describe('Retry-After', () => {
    test.each([['2'], ['Fri, 27 Nov 2026 00:00:02 GMT'], ['Friday, 27-Nov-26 00:00:02 GMT'], ['Fri Nov 27 00:00:02 2026'], [['1', '2']]])('%s: not a millisecond earlier', async (value) => {
      const { server, client, clock, url } = await open(({ before }) => (before === 0 ? { status: 503, fields: { 'retry-after': value } } : ok))
      const call = watched(client.send(url))
      // The random part comes on top: 0.5 * 50 ms.
      await clock.waitsFor(2_025)
      clock.advance(2_000)
      await turns()
      expect(server.count('/x')).toBe(1)
      clock.advance(25)
      await server.arrived('/x', 2)
      while (call.value === undefined) await turn()
      expect(call.value).toMatchObject({ status: 200 })
    })

    test.each([['beyond 30 s', '31', {}], ['beyond the deadline', '10', { deadline: '10s' as const }]])('%s: the response is handed back at once', async (_what, value, options) => {
      const { server, client, url } = await open(() => ({ status: 429, fields: { 'retry-after': value }, body: 'later' }), options)
      expect(await client.send(url)).toEqual({ status: 429, body: 'later' })
      expect(server.count('/x')).toBe(1)
    })
  })

  test('the policy waits at random, twice, and then hands over what there is', async () => {
    const { server, client, clock, url } = await open(() => ({ status: 502, body: 'no' }))
    const call = watched(client.send(url))
    await clock.waitsFor(25)
    clock.advance(25)
    await clock.waitsFor(50)
    clock.advance(50)
    await server.arrived('/x', 3)
    while (call.value === undefined) await turn()
    expect(call.value).toEqual({ status: 502, body: 'no' })
    expect(server.count('/x')).toBe(3)
  })

  test('the budget ends retries, of one origin and not of another', async () => {
    const { server, client, url } = await open(() => ({ status: 503 }), { random: () => 0, budget: { tokens: 1 } })
    await client.send(url)
    await client.send(url)
    expect(server.count('/x')).toBe(3)
    const other = await startFaultServer(({ before }) => (before === 0 ? { status: 503 } : ok))
    closing.push(() => other.close())
    expect(await client.send(`${other.origin}/x`)).toMatchObject({ status: 200 })
  })

  describe('an abort is obeyed within a few turns of the event loop', () => {
    const reason = new DOMException('enough', 'AbortError')

    test('while a response is waited for', async () => {
      const { server, client, url } = await open(() => 'nothing')
      const controller = new AbortController()
      const call = watched(client.send(url, { signal: controller.signal }))
      await server.arrived('/x')
      controller.abort(reason)
      await turns()
      expect(call.error).toMatchObject({ name: 'AbortError', verdict: 'aborted', sent: true, reused: false, attempts: 1, cause: reason })
      expect(server.count('/x')).toBe(1)
    })

    test('in a backoff', async () => {
      const { server, client, clock, url } = await open(() => ({ status: 503 }))
      const controller = new AbortController()
      const call = watched(client.send(url, { signal: controller.signal }))
      await clock.waitsFor(25)
      controller.abort(reason)
      await turns()
      expect(call.error).toMatchObject({ name: 'AbortError', verdict: 'aborted', attempts: 1 })
      clock.advance(1_000)
      await turns()
      expect(server.count('/x')).toBe(1)
    })

    test('before anything was sent', async () => {
      const { server, client, url } = await open(() => ok)
      const call = client.send(url, { method: 'POST', body: 'tea', signal: AbortSignal.abort(reason) })
      await expect(call).rejects.toThrow()
      expect(server.count('/x')).toBe(0)
    })
  })

  describe('the time for the first byte', () => {
    test('ends an attempt on a connection that is dead without a word: a repair, where it was reused', async () => {
      const { server, client, clock, url } = await open(({ before }) => (before === 0 ? 'nothing' : ok), { firstByteTimeout: '7s' })
      await warmUp(client.send, server)
      const call = watched(client.send(url, { method: 'PUT', body: 'tea' }))
      await server.arrived('/x')
      clock.advance(7_000)
      await server.arrived('/x', 2)
      while (call.value === undefined) await turn()
      expect(call.value).toMatchObject({ status: 200 })
    })

    test('a POST without a key is not sent again', async () => {
      const { server, client, clock, url } = await open(() => 'nothing', { firstByteTimeout: '7s' })
      await warmUp(client.send, server)
      const call = watched(client.send(url, { method: 'POST', body: 'tea' }))
      await server.arrived('/x')
      clock.advance(7_000)
      await turns()
      expect(call.error).toMatchObject({ name: 'TimeoutError', verdict: 'stale-reuse', sent: true, reused: true, attempts: 1 })
      expect(server.count('/x')).toBe(1)
    })
  })

  test('a response that is not wanted and does not end does not hold the next attempt up', async () => {
    const { server, client, clock, url } = await open(({ before }) => (before === 0 ? 'endless-503' : ok))
    const call = watched(client.send(url))
    while (server.count('/x') < 2) {
      clock.advance(50)
      await turn()
    }
    while (call.value === undefined) await turn()
    expect(call.value).toMatchObject({ status: 200 })
  })

  test('the deadline ends a call, whatever it is at', async () => {
    const { server, client, clock, url } = await open(() => 'nothing', { deadline: '9s', firstByteTimeout: '60s' })
    const call = watched(client.send(url))
    await server.arrived('/x')
    clock.advance(9_000)
    await turns()
    expect(call.error).toMatchObject({ name: 'TimeoutError', verdict: 'fresh-loss', attempts: 1 })
    await turns()
    expect(server.count('/x')).toBe(1)
  })

  test('no attempt is made while another one is on its way: no hedging', async () => {
    const { server, client, clock, url } = await open(() => 'nothing', { firstByteTimeout: '60s' })
    const controller = new AbortController()
    const call = client.send(url, { signal: controller.signal })
    await server.arrived('/x')
    clock.advance(59_999)
    await turns()
    expect(server.count('/x')).toBe(1)
    controller.abort()
    await expect(call).rejects.toThrow()
  })

  describe('409', () => {
    const problem = (type: string): Fault => ({ status: 409, fields: { 'content-type': 'application/problem+json', 'retry-after': '1' }, body: JSON.stringify({ type, title: 't', status: 409 }) })
    const keyed = { method: 'POST', body: 'tea', headers: { 'idempotency-key': 'order-1' } }

    test('while the first request with this key runs: again, after the time that it says', async () => {
      const { server, client, clock, url } = await open(({ before }) => (before === 0 ? problem('urn:hopwise:problem:key-in-progress') : ok))
      const call = watched(client.send(url, keyed))
      await clock.waitsFor(1_025)
      clock.advance(1_025)
      await server.arrived('/x', 2)
      while (call.value === undefined) await turn()
      expect(call.value).toMatchObject({ status: 200 })
    })

    test('of another kind is handed over with its body, and so is one without a key', async () => {
      const { server, client, url } = await open(() => problem('urn:hopwise:problem:outcome-unknown'))
      expect(await client.send(url, keyed)).toEqual({ status: 409, body: (problem('urn:hopwise:problem:outcome-unknown') as { body: string }).body })
      expect(server.count('/x')).toBe(1)
      const other = await open(() => problem('urn:hopwise:problem:key-in-progress'))
      expect(await other.client.send(other.url, { method: 'POST', body: 'tea' })).toMatchObject({ status: 409 })
      expect(other.server.count('/x')).toBe(1)
    })

    test('with a body that is too long to be a problem document of ours is handed over whole', async () => {
      const body = JSON.stringify({ type: 'urn:hopwise:problem:key-in-progress', detail: 'x'.repeat(40_000) })
      const { server, client, url } = await open(() => ({ status: 409, fields: { 'content-type': 'application/problem+json' }, body }))
      expect(await client.send(url, keyed)).toEqual({ status: 409, body })
      expect(server.count('/x')).toBe(1)
    })
  })
})
