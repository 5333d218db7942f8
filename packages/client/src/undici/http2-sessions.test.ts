import { customHop } from '@hopwise/core'
import { afterEach, describe, expect, test } from 'vitest'
import type { CommonOptions } from '../options.js'
import type { TestRequest } from '../testing/bindings.js'
import { builtInHttp2, http2Bindings } from '../testing/http2-clients.js'
import { startHttp2Server, type SeenStream, type StreamFault } from '../testing/http2-server.js'
import { manualClock } from '../testing/manual-clock.js'
import { startRelay } from '../testing/relay.js'
import { findWatch } from '../watch/watch.js'

const post: TestRequest = { method: 'POST', body: 'tea' }
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

async function serve(decide: (stream: SeenStream) => StreamFault = () => 'ok') {
  const server = await startHttp2Server(decide)
  closing.push(() => server.close())
  return server
}

// undici 6 tells of no request over HTTP/2 which socket it is on.
test('undici 6: no session is known, and none is closed', async () => {
  const [server, [binding]] = [await serve(), http2Bindings]
  if (binding?.version !== 6) throw new Error('undici 6 is not the first one')
  const client = await binding.open()
  closing.unshift(() => client.close())
  expect(await client.send(`${server.origin}/x`)).toBe(200)
  expect(findWatch()?.closeIdle(server.origin, 0)).toBe(0)
})

// Those of a runtime's fetch share their sessions.
describe.each(http2Bindings.filter(({ version }) => version > 6))('$name', ({ open }) => {
  test('a repair closes another session that is idle for as long, and the next request on its agent opens another one', async () => {
    const server = await serve(({ path, before }) => (path === '/x' && before === 0 ? 'cut' : 'ok'))
    const idle = await open()
    const client = await open()
    closing.unshift(() => idle.close(), () => client.close())
    expect(await idle.send(`${server.origin}/idle`)).toBe(200)
    expect(await client.send(`${server.origin}/warm`)).toBe(200)
    expect(await client.send(`${server.origin}/x`)).toBe(200)
    await server.closed(1)
    expect(await idle.send(`${server.origin}/idle`, post)).toBe(200)
    expect(server.seen.at(-1)?.session).toBe(4)
  })
})

describe.each([...http2Bindings.filter(({ version }) => version > 6), ...builtInHttp2])('$name', ({ open, version }) => {
  async function connected(options?: CommonOptions, agentOptions?: object) {
    const client = await open(options, agentOptions)
    closing.unshift(() => client.close())
    return client
  }

  test('an idle session is closed before the first hop of the chain closes it, and the next request opens another one', async () => {
    const server = await serve()
    const client = await connected({ chain: [customHop({ name: 'front', downstream: { idle: '250ms' } })], margin: '50ms' })
    for (const session of [1, 2]) {
      expect(await client.send(`${server.origin}/x`, post)).toBe(200)
      await server.closed(session)
    }
    expect(server.seen.map(({ session }) => session)).toEqual([1, 2])
  })

  describe('firstByteTimeout', () => {
    /** A client with one session, which has carried requests, through a relay; and its clock. */
    async function warm(decide?: (stream: SeenStream) => StreamFault) {
      const server = await serve(decide)
      const relay = await startRelay(server.origin)
      closing.unshift(() => relay.close())
      const clock = manualClock()
      const client = await connected({ clock, firstByteTimeout: '7s' }, { connections: 1, pipelining: 10 })
      for (let n = 0; n < 2; n += 1) expect(await client.send(`${relay.origin}/warm`)).toBe(200)
      const sendTo = (path: string, request?: TestRequest) => client.send(`${relay.origin}${path}`, request)
      return { server, relay, clock, sendTo, sessionsOf: (path: string) => server.seen.filter((one) => one.path === path).map(({ session }) => session) }
    }

    test('a session that is dead without a word is left, although other streams are open on it', async () => {
      const { relay, clock, sendTo, sessionsOf } = await warm()
      relay.freeze()
      let swallowed = relay.swallowed()
      const first = sendTo('/first')
      await swallowed
      clock.advance(6_000)
      swallowed = relay.swallowed()
      const second = sendTo('/second')
      await swallowed
      clock.advance(1_000)
      // The PING has a second.
      await relay.swallowed()
      clock.advance(1_000)
      const third = sendTo('/third')
      expect(await Promise.all([first, second, third])).toEqual([200, 200, 200])
      // The fetch of a runtime may open several at once.
      const sessions = ['/first', '/second', '/third'].map(sessionsOf)
      expect(sessions.map(({ length }) => length)).toEqual([1, 1, 1])
      expect(sessions.flat()).not.toContain(1)
    })

    test('a POST without a key that was on it fails, and is not sent again; the next one is on another session', async () => {
      const { server, relay, clock, sendTo, sessionsOf } = await warm()
      relay.freeze()
      let swallowed = relay.swallowed()
      const lost = [sendTo('/post', post)]
      await swallowed
      // undici 7 sends one POST after the other.
      if (version === 8) {
        clock.advance(1_000)
        swallowed = relay.swallowed()
        lost.push(sendTo('/post', post))
        await swallowed
      }
      clock.advance(version === 8 ? 6_000 : 7_000)
      await relay.swallowed()
      clock.advance(1_000)
      const verdicts = await Promise.all(lost)
      expect(verdicts).toMatchObject(lost.map(() => ({ verdict: 'stale-reuse', sent: true, attempts: 1 })))
      expect(verdicts[0]).toMatchObject({ name: 'TimeoutError' })
      expect(await sendTo('/next', post)).toBe(200)
      expect([server.count('/post'), server.count('/next')]).toEqual([0, 1])
      expect(sessionsOf('/next')).not.toContain(1)
    })

    test('a slow answer does not cost the other streams of a session that is alive', async () => {
      const { server, relay, clock, sendTo } = await warm(({ path, before }) => (path === '/other' || (path === '/slow' && before === 0) ? 'hold' : 'ok'))
      const slow = sendTo('/slow')
      await server.arrived('/slow')
      clock.advance(6_000)
      const other = sendTo('/other')
      await server.arrived('/other')
      clock.advance(1_000)
      // What is sent again is answered, behind the PING. The second that this has is over.
      expect(await slow).toBe(200)
      clock.advance(1_000)
      expect(await sendTo('/quick')).toBe(200)
      server.release('/other', 'ok')
      expect(await other).toBe(200)
      expect([server.count('/slow'), server.count('/other'), relay.made()]).toEqual([2, 1, 1])
    })
  })
})
