import { AsyncLocalStorage } from 'node:async_hooks'
import { EventEmitter } from 'node:events'
import { describe, expect, test } from 'vitest'
import { manualClock } from '../testing/manual-clock.js'
import { newAttempt, type Attempt } from './attempt.js'
import { findWatch, watchUndici } from './watch.js'

class FakeSocket extends EventEmitter {
  bytesRead = 0
  destroyed = false
  alpnProtocol: string | false = false
  destroy(): void {
    this.destroyed = true
    this.emit('close')
  }
}

/** A watch whose events the test publishes. */
function setUp() {
  const listeners = new Map<string, (message: unknown) => void>()
  const clock = manualClock()
  const watch = watchUndici((name) => ({ subscribe: (listener) => void listeners.set(name, listener) }), new AsyncLocalStorage<Attempt>(), clock)
  const publish = (name: string, message: object): void => listeners.get(name)?.(message)
  const attempt = (idleLimit?: number): Attempt => newAttempt('http://a.example', 'POST', () => idleLimit)
  const request = (over: object = {}): object => ({ origin: 'http://a.example', method: 'POST', ...over })
  /** One exchange on a socket, whole. */
  const exchange = (socket: FakeSocket, one = attempt()): Attempt => {
    const sent = request()
    watch.run(one, () => publish('undici:request:create', { request: sent }))
    publish('undici:client:sendHeaders', { request: sent, socket })
    socket.bytesRead += 100
    publish('undici:request:headers', { request: sent })
    publish('undici:request:trailers', { request: sent })
    return one
  }
  return { watch, publish, clock, attempt, request, exchange }
}
const lost = new Error('other side closed')

test('without an event nothing is known: never "not sent"', () => {
  const { watch, publish, attempt, request } = setUp()
  const nothing = attempt()
  expect(watch.evidence(nothing, lost, false)).toEqual({ sent: 'unknown', reused: 'unknown', responseBytes: 0, refused: false, aborted: false })
  // undici 6 over HTTP/2: the request is made, and its sending is not told.
  const made = attempt()
  watch.run(made, () => publish('undici:request:create', { request: request() }))
  expect(watch.evidence(made, lost, false)).toMatchObject({ sent: 'unknown', reused: 'unknown' })
})

test('only the very error by which a connection could not be opened says "not sent"', () => {
  const { watch, publish, attempt } = setUp()
  const refused = Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  const one = attempt()
  expect(watch.evidence(one, new TypeError('fetch failed', { cause: refused }), false).sent).toBe('unknown')
  publish('undici:client:connectError', { error: refused })
  expect(watch.evidence(one, new TypeError('fetch failed', { cause: refused }), false).sent).toBe(false)
  expect(watch.evidence(one, new TypeError('fetch failed', { cause: new Error('connect ECONNREFUSED') }), false).sent).toBe('unknown')
})

test('a sent request, on a fresh and on a reused socket, with the bytes that came', () => {
  const { watch, publish, attempt, request, exchange, clock } = setUp()
  const socket = new FakeSocket()
  expect(watch.evidence(exchange(socket), lost, false)).toMatchObject({ sent: true, reused: false, responseBytes: 100 })
  clock.advance(5_000)
  const second = attempt()
  const sent = request()
  watch.run(second, () => publish('undici:request:create', { request: sent }))
  publish('undici:client:sendHeaders', { request: sent, socket })
  expect(watch.evidence(second, lost, false)).toMatchObject({ sent: true, reused: true, responseBytes: 0 })
  expect(second.idleAge).toBe(5_000)
  socket.bytesRead += 7
  expect(watch.evidence(second, lost, false)).toMatchObject({ responseBytes: 7 })
})

test('a socket that had read something before anybody watched was used before', () => {
  const { exchange } = setUp()
  const socket = new FakeSocket()
  socket.bytesRead = 1
  expect(exchange(socket)).toMatchObject({ reused: true, idleAge: undefined })
})

test('what else is requested in the context of an attempt is not the attempt', () => {
  const { watch, publish, attempt, request } = setUp()
  const one = attempt()
  const other = request({ origin: new URL('http://b.example') })
  const mine = request({ origin: new URL('http://a.example') })
  watch.run(one, () => {
    publish('undici:request:create', { request: other })
    publish('undici:request:create', { request: mine })
  })
  publish('undici:client:sendHeaders', { request: other, socket: new FakeSocket() })
  expect(watch.evidence(one, lost, false).sent).toBe('unknown')
  publish('undici:client:sendHeaders', { request: mine, socket: new FakeSocket() })
  expect(watch.evidence(one, lost, false).sent).toBe(true)
  one.over = true
  const later = request()
  watch.run(one, () => publish('undici:request:create', { request: later }))
  expect(one.requests).toBe(1)
})

describe('something else is sent in an attempt, and then connecting fails', () => {
  const refused = new Error('connect ECONNREFUSED')
  const failed = new TypeError('fetch failed', { cause: refused })

  /** A request that is made in an attempt, told by one event. */
  function told(watched: ReturnType<typeof setUp>, attempt: Attempt, over: object, event: string): object {
    const other = watched.request(over)
    watched.watch.run(attempt, () => watched.publish('undici:request:create', { request: other }))
    watched.publish(event, { request: other, socket: new FakeSocket() })
    return other
  }

  test.each([
    ['to another origin', { origin: 'http://b.example' }, 'undici:client:sendHeaders'],
    ['by another method', { method: 'GET' }, 'undici:client:sendHeaders'],
    ['and answered, without an event of sending', { origin: 'http://b.example' }, 'undici:request:headers'],
  ])('%s: it is not known whether anything was sent', (_what, over, event) => {
    const watched = setUp()
    const one = watched.attempt()
    watched.publish('undici:client:connectError', { error: refused })
    told(watched, one, over, event)
    expect(watched.watch.evidence(one, failed, false)).toMatchObject({ sent: 'unknown', reused: 'unknown', responseBytes: 0 })
    expect(one).toMatchObject({ sent: false, requests: 0, idleAge: undefined })
  })

  test('what was made and not sent is nothing, and after its end it is nobody\'s', () => {
    const watched = setUp()
    const one = watched.attempt()
    watched.publish('undici:client:connectError', { error: refused })
    const other = told(watched, one, { origin: 'http://b.example' }, 'undici:request:error')
    watched.publish('undici:request:headers', { request: other })
    expect(watched.watch.evidence(one, failed, false).sent).toBe(false)
  })

  test('a tunnel is nothing of the request', () => {
    const watched = setUp()
    const one = watched.attempt()
    watched.publish('undici:client:connectError', { error: refused })
    told(watched, one, { origin: 'http://proxy.example', method: 'CONNECT' }, 'undici:client:sendHeaders')
    told(watched, one, { origin: 'http://proxy.example', method: 'CONNECT' }, 'undici:request:headers')
    expect(watched.watch.evidence(one, failed, false).sent).toBe(false)
  })

  test.each(['undici:client:sendHeaders', 'undici:request:headers'])('by a client within, told by %s: the one around it knows as well', (event) => {
    const watched = setUp()
    const [around, within, next] = [watched.attempt(), watched.attempt(), watched.attempt()]
    watched.publish('undici:client:connectError', { error: refused })
    // The second attempt is made in the context of the first one, which is over.
    watched.watch.run(around, () => {
      watched.watch.run(within, () => {
        within.over = true
        told(watched, next, {}, event)
      })
    })
    expect([around, within].map((one) => watched.watch.evidence(one, failed, false).sent)).toEqual(['unknown', false])
    expect(next.within).toBeUndefined()
  })

  test('attempts that follow one another do not keep each other', () => {
    const { watch, attempt } = setUp()
    const [first, second] = [attempt(), attempt()]
    watch.run(first, () => {
      first.over = true
      watch.run(second, () => {})
    })
    expect(second.within).toBeUndefined()
  })
})

test('a tunnel is no request: the socket is fresh, belongs to the origin of what comes on it, and becomes idle', () => {
  const { watch, publish, clock, attempt, request, exchange } = setUp()
  const socket = new FakeSocket()
  publish('undici:client:sendHeaders', { request: request({ origin: 'http://proxy.example', method: 'CONNECT' }), socket })
  socket.bytesRead = 39
  expect(exchange(socket)).toMatchObject({ sent: true, reused: false, idleAge: undefined, readBefore: 39 })
  clock.advance(1_000)
  expect(exchange(socket)).toMatchObject({ reused: true, idleAge: 1_000 })
  expect([watch.closeIdle('http://proxy.example', 0), socket.destroyed]).toEqual([0, false])
  expect([watch.closeIdle(attempt().origin, 0), socket.destroyed]).toEqual([1, true])
})

test.each(['undici:request:trailers', 'undici:request:error'])('after %s a request is nobody\'s any more', (end) => {
  const { watch, publish, attempt, request } = setUp()
  const [one, sent] = [attempt(), request()]
  watch.run(one, () => publish('undici:request:create', { request: sent }))
  publish('undici:client:sendHeaders', { request: sent, socket: new FakeSocket() })
  publish(end, { request: sent })
  publish('undici:request:headers', { request: sent })
  expect([one.sent, one.responseSeen]).toEqual([true, false])
})

test('two requests in one attempt: it was sent, and on which connection is not known', () => {
  const { watch, exchange, attempt } = setUp()
  const one = attempt()
  const socket = new FakeSocket()
  exchange(socket, one)
  exchange(socket, one)
  expect(watch.evidence(one, lost, false)).toMatchObject({ sent: true, reused: 'unknown' })
})

test('the refusal of a request that undici itself has sent anew says nothing of the first time', () => {
  const { watch, publish, attempt, request } = setUp()
  const [one, sent] = [attempt(), request()]
  const refusal = Object.assign(new Error('Stream closed with error code NGHTTP2_REFUSED_STREAM'), { code: 'ERR_HTTP2_STREAM_ERROR' })
  watch.run(one, () => publish('undici:request:create', { request: sent }))
  publish('undici:client:sendHeaders', { request: sent, socket: new FakeSocket() })
  expect(watch.evidence(one, refusal, false)).toMatchObject({ sent: true, refused: true })
  publish('undici:client:sendHeaders', { request: sent, socket: new FakeSocket() })
  expect(watch.evidence(one, refusal, false)).toMatchObject({ sent: true, refused: false })
})

test('over HTTP/2 bytes of other streams do not count', () => {
  const { watch, publish, attempt, request } = setUp()
  const socket = Object.assign(new FakeSocket(), { alpnProtocol: 'h2' })
  const one = attempt()
  const sent = request()
  watch.run(one, () => publish('undici:request:create', { request: sent }))
  publish('undici:client:sendHeaders', { request: sent, socket })
  socket.bytesRead += 1_000
  expect(watch.evidence(one, lost, false).responseBytes).toBe(0)
  publish('undici:request:headers', { request: sent })
  expect(watch.evidence(one, lost, false).responseBytes).toBe(1)
})

test('idle sockets are closed by age, busy ones are not, and each after its limit', () => {
  const { watch, publish, clock, attempt, request, exchange } = setUp()
  const [old, young, busy, limited] = [new FakeSocket(), new FakeSocket(), new FakeSocket(), new FakeSocket()]
  exchange(old)
  clock.advance(1_000)
  exchange(young)
  publish('undici:client:sendHeaders', { request: request(), socket: busy })
  expect(watch.closeIdle('http://a.example', 1_000)).toBe(1)
  expect([old.destroyed, young.destroyed]).toEqual([true, false])
  expect(watch.closeIdle('http://b.example', 0)).toBe(0)
  expect(watch.closeIdle('http://a.example', 0)).toBe(1)
  expect([young.destroyed, busy.destroyed]).toEqual([true, false])

  exchange(limited, attempt(2_000))
  clock.advance(1_999)
  exchange(limited, attempt(2_000))
  clock.advance(1_999)
  expect(limited.destroyed).toBe(false)
  clock.advance(1)
  expect(limited.destroyed).toBe(true)
})

test('there is one watch for the process', () => {
  expect(findWatch()).toBe(findWatch())
  expect(findWatch()).toBeDefined()
})
