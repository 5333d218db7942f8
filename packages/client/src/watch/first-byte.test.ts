import { expect, test } from 'vitest'
import { manualClock } from '../testing/manual-clock.js'
import { newAttempt } from './attempt.js'
import { limitFirstByte } from './first-byte.js'

/** An attempt that was sent on a socket which has read and written what is said, and what came of it after so many seconds. */
function run(socket: object | undefined, seconds = 7) {
  const clock = manualClock()
  const attempt = newAttempt('http://a.example', 'PUT', () => undefined)
  const errors: (Error | undefined)[] = []
  const given: Error[] = []
  if (socket !== undefined) Object.assign(attempt, { sent: true, socket: { bytesRead: 0, bytesWritten: 0, writableLength: 0, destroy: (error?: Error) => errors.push(error), ...socket } })
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
  const attempt = Object.assign(newAttempt('http://a.example', 'PUT', () => undefined), { sent: true, socket })
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
  ['an HTTP/2 session on which nothing came is closed, with an error', { alpnProtocol: 'h2' }, [{ code: 'UND_ERR_SOCKET' }]],
  ['one on which something came is not', { alpnProtocol: 'h2', bytesRead: 9 }, []],
  ['nor is a connection of HTTP/1, which undici closes', { alpnProtocol: false }, []],
])('%s', (_what, socket, errors) => {
  expect(run(socket).errors).toMatchObject(errors)
})
