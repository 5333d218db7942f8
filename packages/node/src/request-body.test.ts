import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { rawConnect, requestText } from '@hopwise/testkit/adapter'
import { expect, onTestFinished, test } from 'vitest'
import { keepRawBody, readRawBody, RequestAborted } from './index.js'

/** A request of a real exchange, its response not yet begun, and the connection by which it came. */
async function received(text: Uint8Array) {
  const server = createServer().listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connection = await rawConnect((server.address() as AddressInfo).port)
  onTestFinished(() => {
    connection.destroy()
    server.close()
    server.closeAllConnections()
  })
  const arrived = once(server, 'request')
  connection.write(text)
  const [request] = (await arrived) as [IncomingMessage]
  return { request, connection }
}

const post = (body: string) => requestText('POST', '/', {}, body)

async function drainBody(request: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString()
}

test('what was read is there again for whoever comes later, even many turns later', async () => {
  const { request } = await received(post('hello'))
  expect(Buffer.from((await readRawBody(request, 100)) as Uint8Array).toString()).toBe('hello')
  for (let turn = 0; turn < 5; turn++) await new Promise(setImmediate)
  expect(await drainBody(request)).toBe('hello')
})

test('a limit that is just met is no limit that is passed', async () => {
  expect(await readRawBody((await received(post('12345'))).request, 5)).toHaveLength(5)
  expect(await readRawBody((await received(post('123456'))).request, 5)).toBe('too-large')
})

test('a body that somebody has read is an error that says what to do', async () => {
  const { request } = await received(post('hello'))
  await drainBody(request)
  await expect(readRawBody(request, 100)).rejects.toThrow(/mount it before the body parser, or .*keepRawBody/)
})

test('a body that somebody is about to read is the same error, and is left alone', async () => {
  const { request } = await received(post('hello'))
  const other = drainBody(request)
  await expect(readRawBody(request, 100)).rejects.toMatchObject({ code: 'body-already-read' })
  expect(await other).toBe('hello')
})

test('the raw copies that parsers keep are taken', async () => {
  const { request } = await received(post('hello'))
  await drainBody(request)
  keepRawBody(request, undefined, Buffer.from('hello'))
  expect(await readRawBody(request, 100)).toEqual(Buffer.from('hello'))
  expect(await readRawBody(request, 3)).toBe('too-large')
  const raw = (await received(post('hello'))).request
  await drainBody(raw)
  Object.assign(raw, { body: Buffer.from('hello') })
  expect(await readRawBody(raw, 100)).toEqual(Buffer.from('hello'))
})

test('a client that goes away in the middle of its body', async () => {
  const { request, connection } = await received(post('hello').subarray(0, -1))
  const reading = readRawBody(request, 100)
  connection.destroy()
  await expect(reading).rejects.toBeInstanceOf(RequestAborted)
})

test('no body at all needs no reading, even after somebody looked', async () => {
  const { request } = await received(post(''))
  await drainBody(request)
  expect(await readRawBody(request, 100)).toHaveLength(0)
})
