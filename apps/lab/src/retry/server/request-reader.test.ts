import { expect, test } from 'vitest'
import { RequestReader } from './request-reader.js'

const stream = [
  'GET /a/1 HTTP/1.1\r\nhost: x\r\n\r\n',
  'POST /b/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nGET /',
  'POST /c/1 HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntea\r\n10\r\n0123456789abcdef\r\n0\r\n\r\n',
  'PUT /d/1 HTTP/1.1\r\ncontent-length: 0\r\n\r\n',
].join('')

test.each([1, 7, stream.length])('requests are read to their last byte, in pieces of %i', (size) => {
  const paths: string[] = []
  const reader = new RequestReader((path) => paths.push(path))
  for (let at = 0; at < stream.length; at += size) reader.push(Buffer.from(stream.slice(at, at + size)))
  expect(paths).toEqual(['/a/1', '/b/1', '/c/1', '/d/1'])
})

test.each([
  ['POST /a HTTP/1.1\r\ncontent-length: 3\r\n\r\nte'],
  ['POST /a HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\n3\r\ntea\r\n0\r\n'],
  ['GET /a HTTP/1.1\r\nhost: x\r\n'],
])('a request that has not come whole has not come: %j', (text) => {
  const paths: string[] = []
  new RequestReader((path) => paths.push(path)).push(Buffer.from(text))
  expect(paths).toEqual([])
})

test('what is no request is an error', () => {
  expect(() => new RequestReader(() => {}).push(Buffer.from('HELLO\r\n\r\n'))).toThrow('no request: HELLO')
})
