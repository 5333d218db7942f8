import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { memoryStore } from '@hopwise/core'
import { rawConnect, requestText } from '@hopwise/testkit/adapter'
import { expect, onTestFinished, test } from 'vitest'
import { createIdempotentMiddleware } from './index.js'

/** A server whose protected handler says "tea"; what became of each request, in order. */
async function serve() {
  const fates: string[] = []
  let tell = (): void => {}
  const note = (fate: string): void => {
    fates.push(fate)
    tell()
  }
  const protect = createIdempotentMiddleware(
    { store: memoryStore(), scope: 'global' },
    { target: ({ url = '/' }) => url, route: () => '/', ended: (_request, how) => note(how) },
  )
  const server = createServer((request, response) => protect(request, response, () => {
    note('next')
    response.end('tea')
  })).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const connection = await rawConnect((server.address() as AddressInfo).port)
  onTestFinished(() => {
    connection.destroy()
    server.close()
    server.closeAllConnections()
  })
  const told = (count: number) => new Promise<string[]>((resolve) => {
    tell = () => {
      if (fates.length >= count) resolve(fates)
    }
    tell()
  })
  return { connection, server, told }
}

const post = (fields: Readonly<Record<string, string>>) => requestText('POST', '/', fields, 'one pot')

test('of each request it is said once what became of it: the handler ran, it was answered, its client was gone', async () => {
  const { connection, server, told } = await serve()
  for (const fields of [{ 'idempotency-key': 'key-1' }, { 'idempotency-key': 'key-1' }, {}]) {
    connection.write(post(fields))
    await connection.response()
  }
  const arrived = once(server, 'request')
  connection.write(post({ 'idempotency-key': 'key-2' }).subarray(0, -3))
  await arrived
  connection.destroy()
  expect(await told(4)).toEqual(['next', 'answered', 'answered', 'gone'])
})
