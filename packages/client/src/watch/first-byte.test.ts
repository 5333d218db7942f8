import { describe, expect, test } from 'vitest'
import { manualClock } from '../testing/manual-clock.js'
import { newAttempt, type Attempt } from './attempt.js'
import { limitFirstByte } from './first-byte.js'

/** An attempt that was sent on a socket which has read and written what is said, and what came of it after so many seconds. */
function run(socket: object | undefined, seconds = 7, own: Partial<Attempt> = {}) {
  const clock = manualClock()
  const attempt = newAttempt('http://a.example', 'PUT', () => undefined)
  const errors: (Error | undefined)[] = []
  const given: Error[] = []
  if (socket !== undefined) Object.assign(attempt, { sent: true, open: 1, ...own, socket: { bytesRead: 0, bytesWritten: 0, writableLength: 0, destroy: (error?: Error) => errors.push(error), ...socket } })
  const cancel = limitFirstByte(attempt, { firstByteTimeout: 7_000, clock }, (error) => given.push(error))
  for (let n = 0; n < seconds; n += 1) clock.advance(1_000)
  return { given, errors, clock, cancel }
}

test.each([
  ['what was not sent yet', undefined],
  ['an upload over HTTP/2', { alpnProtocol: 'h2', bytesWritten: 8_000_000, writableLength: 1 }],
  ['what went out at once', { bytesWritten: 65_536 }],
  ['a write of which the kernel has taken nothing', { bytesWritten: 8_000_000, writableLength: 8_000_000, _handle: { writeQueueSize: 8_000_000 } }],
])('%s has no more than the time', (_what, socket) => {
  const { given, clock } = run(socket)
  expect(given).toMatchObject([{ name: 'TimeoutError', message: 'firstByteTimeout of 7000 ms is over' }])
  expect(clock.running).toBe(0)
})

test.each([
  ['more than goes out at once', { bytesWritten: 65_537 }],
  ['a write of which a part waits', { bytesWritten: 20_000, writableLength: 20_000, _handle: { writeQueueSize: 10_000 } }],
  ['the same over TLS', { bytesWritten: 20_000, writableLength: 20_000, _handle: { writeQueueSize: 20_000, _parent: { writeQueueSize: 10_000 } } }],
])('%s has as long again, once where nothing moves', (_what, socket) => {
  expect(run(socket, 13).given).toEqual([])
  expect(run(socket, 14).given).toHaveLength(1)
})

test('an upload is waited for as long as every look finds that it went on', () => {
  const socket = { bytesRead: 0, bytesWritten: 100_000, writableLength: 0 }
  const attempt = Object.assign(newAttempt('http://a.example', 'PUT', () => undefined), { sent: true, open: 1, socket })
  const clock = manualClock()
  const given: Error[] = []
  limitFirstByte(attempt as never, { firstByteTimeout: 7_000, clock }, (error) => given.push(error))
  for (let n = 0; n < 5; n += 1) {
    clock.advance(7_000)
    socket.bytesWritten += 1
  }
  expect(given).toEqual([])
  clock.advance(7_000)
  clock.advance(7_000)
  expect(given).toHaveLength(1)
})

test('what was answered while it was waited for again has no timer left', () => {
  const { clock, cancel, given } = run({ bytesWritten: 8_000_000 })
  cancel()
  expect([clock.running, given]).toEqual([0, []])
})

test.each([
  ['is over', { open: 0 }],
  ['was answered, and its caller waits for something else', { responseSeen: true }],
])('an attempt whose request %s has no more than the time, whatever others write on its connection', (_what, own) => {
  expect(run({ bytesWritten: 8_000_000 }, 7, own).given).toHaveLength(1)
})

describe('an HTTP/2 session on which nothing came', () => {
  /** A socket with a session, which answers a PING or not. */
  const withSession = (answers: boolean) => {
    const socket: { alpnProtocol: string; bytesRead: number; [session: symbol]: object } = { alpnProtocol: 'h2', bytesRead: 0 }
    let pings = 0
    socket[Symbol('http2Session')] = { destroyed: false, ping: () => void ((pings += 1), answers && (socket.bytesRead += 17)) }
    return { socket, pings: () => pings }
  }

  /** The same socket, since an answer to the PING changes it. */
  const runOn = (socket: object, seconds: number, firstByteTimeout = 7_000) => {
    const clock = manualClock()
    const errors: (Error | undefined)[] = []
    Object.assign(socket, { bytesWritten: 0, writableLength: 0, destroy: (error?: Error) => errors.push(error) })
    const attempt = Object.assign(newAttempt('https://a.example', 'GET', () => undefined), { sent: true, open: 1, socket })
    limitFirstByte(attempt as never, { firstByteTimeout, clock }, () => {})
    for (let n = 0; n < seconds * 10; n += 1) clock.advance(100)
    return errors
  }

  test.each([
    ['a second after its PING', 7_000, 7.9, 8],
    ['after as long as an attempt has, where that is less', 200, 0.3, 0.4],
  ])('is closed %s, with an error', (_what, timeout, before, after) => {
    const [early, late] = [withSession(false), withSession(false)]
    expect(runOn(early.socket, before, timeout)).toEqual([])
    expect(runOn(late.socket, after, timeout)).toMatchObject([{ code: 'UND_ERR_SOCKET' }])
    expect([early.pings(), late.pings()]).toEqual([1, 1])
  })

  test('is left alone where the PING is answered', () => {
    const { socket, pings } = withSession(true)
    expect([runOn(socket, 30), pings()]).toEqual([[], 1])
  })

  test('is left alone where it is not known', () => {
    expect(runOn({ alpnProtocol: 'h2', bytesRead: 0 }, 30)).toEqual([])
  })
})

test.each([
  ['an HTTP/2 session on which something came', { alpnProtocol: 'h2', bytesRead: 9 }],
  ['a connection of HTTP/1, which undici closes', { alpnProtocol: false }],
])('%s is left alone', (_what, socket) => {
  expect(run(socket, 30).errors).toEqual([])
})
