import { equal } from '../../store/expect.js'
import type { AdapterCase } from '../case.js'
import { problemType } from '../tools.js'

function bytes(length: number): Uint8Array {
  const made = new Uint8Array(length)
  for (let at = 0; at < length; at++) made[at] = at * 31 + (at >> 8)
  return made
}

const boundary = 'b0und4ry'
const multipart = Buffer.concat([
  Buffer.from(`--${boundary}\r\ncontent-disposition: form-data; name="file"; filename="f"\r\n\r\n`),
  Buffer.from([0x89, 0xff, 0xfe, 0x00, 0x0d, 0x0a]),
  Buffer.from(`\r\n--${boundary}--\r\n`),
])

const bodies: Readonly<Record<string, { body: Uint8Array; type: string }>> = {
  'JSON': { body: Buffer.from('{"name":"Café ☕","n":9007199254740993}'), type: 'application/json' },
  'binary': { body: Uint8Array.of(0x89, 0xff, 0xfe, 0x00, 0x80), type: 'application/octet-stream' },
  'multipart': { body: multipart, type: `multipart/form-data; boundary=${boundary}` },
  '900,000 bytes': { body: bytes(900_000), type: 'application/octet-stream' },
  'empty': { body: new Uint8Array(), type: 'application/octet-stream' },
}

const seenByHandler = (parserFirst: boolean): AdapterCase[] =>
  Object.entries(bodies).map(([what, { body, type }]) => ({
    title: `the handler gets the very bytes of a body that is ${what}${parserFirst ? ', parsed before the middleware' : ''}`,
    ...(parserFirst && { needs: 'parserFirst' as const }),
    run: async ({ post, executions }) => {
      const sent = { key: 'key-1', body, fields: { 'content-type': type } }
      const first = await post('/echo', sent)
      equal(first.status, 200, 'status')
      equal(first.body.equals(body), true, 'the bytes that the handler got are those that were sent')
      equal((await post('/echo', sent)).body.equals(body), true, 'the replayed bytes')
      equal(await executions('/echo'), 1, 'executions')
    },
  }))

/** The request's body: fingerprinted, and handed on untouched. */
export const requestBodyCases: readonly AdapterCase[] = [
  ...seenByHandler(false),
  ...seenByHandler(true),
  {
    title: 'a body that comes in chunks and in pieces is whole',
    run: async ({ connect, postText }) => {
      const connection = await connect()
      const fields = { 'transfer-encoding': 'chunked', 'content-type': 'application/octet-stream' }
      const head = postText('/echo', { key: 'key-1', body: '', fields })
      connection.write(head.subarray(0, 20))
      connection.write(head.subarray(20))
      connection.write('5\r\nhello\r\n')
      connection.write('1\r\n')
      connection.write(' \r\n5\r\nworld\r\n0\r')
      connection.write('\n\r\n')
      equal((await connection.response()).body.toString(), 'hello world', 'the bytes that the handler got')
    },
  },
  {
    title: 'a body of 10 MiB is fingerprinted, handed on and answered whole',
    setup: { idempotency: { maxRequestBytes: 12 * 2 ** 20, maxResponseBytes: 12 * 2 ** 20 } },
    run: async ({ post, executions }) => {
      const sent = { key: 'key-1', body: bytes(10 * 2 ** 20), fields: { 'content-type': 'application/octet-stream' } }
      equal((await post('/echo', sent)).body.equals(sent.body), true, 'the bytes that the handler got')
      equal((await post('/echo', sent)).body.equals(sent.body), true, 'the replayed bytes')
      equal(await executions('/echo'), 1, 'executions')
    },
  },
  {
    title: 'a request with two lengths is refused, and its handler does not run',
    run: async ({ connect, postText, executions }) => {
      const connection = await connect()
      connection.write(postText('/orders', { key: 'key-1', fields: { 'content-length': ['7', '8'] } }))
      // RFC 9112 section 6.3: an unrecoverable error, after which the connection is closed.
      const answer = await connection.response().catch(() => undefined)
      equal([400, undefined].includes(answer?.status), true, 'refused, or cut')
      equal(await executions('/orders'), 0, 'executions')
    },
  },
  ...['with a length', 'in chunks'].map((how): AdapterCase => ({
    title: `a body over the limit, sent ${how}, is refused with 413 and claims nothing`,
    setup: { idempotency: { maxRequestBytes: 1_000 } },
    run: async ({ post, executions }) => {
      const chunked = how === 'in chunks'
      const body = chunked ? `3e9\r\n${'x'.repeat(1_001)}\r\n0\r\n\r\n` : 'x'.repeat(1_001)
      const fields = { 'content-type': 'text/plain', ...(chunked && { 'transfer-encoding': 'chunked' }) }
      const response = await post('/echo', { key: 'key-1', body, fields })
      equal(response.status, 413, 'status')
      equal(problemType(response), 'body-too-large', 'problem')
      equal((await post('/echo', { key: 'key-1', body: 'small' })).status, 200, 'the same key with a smaller body')
      equal(await executions('/echo'), 1, 'executions')
    },
  })),
]
