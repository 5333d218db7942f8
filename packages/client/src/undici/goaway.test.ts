import { once } from 'node:events'
import { constants } from 'node:http2'
import { afterEach, describe, expect, test } from 'vitest'
import type { TestRequest } from '../testing/bindings.js'
import { http2Bindings } from '../testing/http2-clients.js'
import { startHttp2Server, type StreamFault } from '../testing/http2-server.js'

const post: TestRequest = { method: 'POST', body: 'tea' }
const keyed: TestRequest = { ...post, headers: { 'idempotency-key': 'order-1' } }
const repeatable: [string, TestRequest][] = [['a POST with a key', keyed], ['a GET', {}]]
const { NGHTTP2_NO_ERROR, NGHTTP2_INTERNAL_ERROR, NGHTTP2_ENHANCE_YOUR_CALM } = constants
const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

describe.each(http2Bindings)('$name', ({ name, version, open }) => {
  /** A client whose session has carried a request. The first request for `/x` meets the fault. */
  async function warm(fault: StreamFault) {
    const server = await startHttp2Server(({ path, before }) => (path === '/x' && before === 0 ? fault : 'ok'))
    const client = await open()
    closing.push(() => client.close(), () => server.close())
    expect(await client.send(`${server.origin}/warm`)).toBe(200)
    const sessionsOf = (path: string): number[] => server.seen.filter((one) => one.path === path).map(({ session }) => session)
    /** What comes after the GOAWAY goes to a new session, and is sent once. */
    const nextIsElsewhere = async (): Promise<void> => {
      expect(await client.send(`${server.origin}/next`, post)).toBe(200)
      expect([sessionsOf('/next').length, sessionsOf('/next')[0] !== 1]).toEqual([1, true])
    }
    return { server, client, sessionsOf, nextIsElsewhere, url: `${server.origin}/x` }
  }

  describe.each([['INTERNAL_ERROR', NGHTTP2_INTERNAL_ERROR], ['ENHANCE_YOUR_CALM', NGHTTP2_ENHANCE_YOUR_CALM]])('GOAWAY with %s', (_code, code) => {
    test('that covers a POST: it is sent once', async () => {
      const { client, url, sessionsOf, nextIsElsewhere } = await warm({ goaway: 'above', code })
      expect(await client.send(url, post)).toMatchObject({ verdict: expect.stringMatching(/^(stale-reuse|fresh-loss)$/) })
      expect(sessionsOf('/x')).toEqual([1])
      await nextIsElsewhere()
    })

    test('below a POST: no more than once again, on a new session, where undici tells the ids apart', async () => {
      const { client, url, sessionsOf, nextIsElsewhere } = await warm({ goaway: 'below', code })
      const outcome = await client.send(url, post)
      // undici 6 and 7 do not look at the id; and what undici's fetch sends is a stream, which undici 8 does not send anew.
      const again = name === 'undici 8'
      expect(outcome === 200).toBe(again)
      expect(sessionsOf('/x')).toEqual(again ? [1, 2] : [1])
      await nextIsElsewhere()
    })

    test.each(repeatable.flatMap(([what, request]) => (['above', 'below'] as const).map((goaway) => [what, goaway, request] as const)))('%s, %s: is served once more, on a new session', async (_what, goaway, request) => {
      const { client, url, sessionsOf, nextIsElsewhere } = await warm({ goaway, code })
      expect(await client.send(url, request)).toBe(200)
      const sessions = sessionsOf('/x')
      expect(sessions).toHaveLength(2)
      expect([sessions[0], sessions[1] !== 1]).toEqual([1, true])
      await nextIsElsewhere()
    })
  })

  describe('GOAWAY in two steps, the first with the highest id', () => {
    test('a POST is sent once, and answered where undici waits for what the server still serves', async () => {
      const { client, url, sessionsOf, nextIsElsewhere } = await warm('goaway-graceful')
      const outcome = await client.send(url, post)
      if (version === 8) expect(outcome).toBe(200)
      expect(sessionsOf('/x')).toEqual([1])
      await nextIsElsewhere()
    })

    test.each(repeatable)('%s is answered', async (_what, request) => {
      const { client, url, sessionsOf, nextIsElsewhere } = await warm('goaway-graceful')
      expect(await client.send(url, request)).toBe(200)
      expect(sessionsOf('/x').length).toBe(version === 8 ? 1 : 2)
      await nextIsElsewhere()
    })
  })

  test.each([['NO_ERROR', NGHTTP2_NO_ERROR], ['ENHANCE_YOUR_CALM', NGHTTP2_ENHANCE_YOUR_CALM]])('GOAWAY with %s on an idle session: each request after it is sent once, on a new one', async (_code, code) => {
    const { server, client, sessionsOf, nextIsElsewhere } = await warm('ok')
    const told = once(client.agent as NonNullable<typeof client.agent>, 'disconnect')
    server.goaway(1, code)
    await told
    await nextIsElsewhere()
    for (const [path, request] of [['/keyed', keyed], ['/get', {}]] as const) {
      expect(await client.send(`${server.origin}${path}`, request)).toBe(200)
      expect([sessionsOf(path).length, sessionsOf(path)[0] !== 1]).toEqual([1, true])
    }
  })
})

// undici 7 sends one POST after the other; undici 6 throws where several are open.
describe.each(http2Bindings.filter(({ version }) => version === 8))('$name, two open POSTs', ({ name, open }) => {
  test.each([['NO_ERROR', NGHTTP2_NO_ERROR], ['INTERNAL_ERROR', NGHTTP2_INTERNAL_ERROR]])('GOAWAY with %s between them: only the one above it is sent again', async (_code, code) => {
    const server = await startHttp2Server(({ path, before }) => (path === '/warm' || before > 0 ? 'ok' : 'hold'))
    const client = await open({}, { connections: 1 })
    closing.push(() => client.close(), () => server.close())
    await client.send(`${server.origin}/warm`)
    const below = client.send(`${server.origin}/below`, post)
    await server.arrived('/below')
    const above = client.send(`${server.origin}/above`, post)
    await server.arrived('/above')
    server.release('/below', { goaway: 'above', code })
    const again = name === 'undici 8'
    expect(await below).toMatchObject({ verdict: 'stale-reuse' })
    expect(await above).toEqual(again ? 200 : expect.objectContaining({ verdict: 'stale-reuse' }))
    expect([server.count('/below'), server.count('/above')]).toEqual([1, again ? 2 : 1])
  })
})
