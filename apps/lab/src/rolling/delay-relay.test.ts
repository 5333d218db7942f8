import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { freePort } from '@hopwise/testkit/components'
import { expect, onTestFinished, test } from 'vitest'
import { createDelayRelay } from './delay-relay.js'

async function relayed() {
  const server = createServer({ allowHalfOpen: true }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const relay = createDelayRelay(await freePort(), (server.address() as AddressInfo).port, 40)
  await relay.open()
  onTestFinished(() => {
    relay.stop()
    server.close()
  })
  const accepted = once(server, 'connection') as Promise<[Socket]>
  const client = connect({ port: relay.port, host: '127.0.0.1', allowHalfOpen: true })
  const [other] = await accepted
  onTestFinished(() => {
    client.destroy()
    other.destroy()
  })
  return { relay, client, other }
}

test('bytes take half a round trip, in their order, and FIN ends one direction only', async () => {
  const { client, other } = await relayed()
  const sentAt = performance.now()
  client.write('one ')
  setTimeout(() => client.end('two'), 10)
  let received = ''
  other.on('data', (chunk: Buffer) => {
    received += chunk.toString()
  })
  await once(other, 'end')
  expect([received, performance.now() - sentAt >= 19]).toEqual(['one two', true])
  other.end('still here')
  expect(String((await once(client, 'data'))[0])).toBe('still here')
})

test('a reset arrives as a reset', async () => {
  const { client, other } = await relayed()
  const failed = once(client, 'error') as Promise<[NodeJS.ErrnoException]>
  other.resetAndDestroy()
  expect((await failed)[0].code).toBe('ECONNRESET')
})

test('closed, it refuses new connections, keeps those that it has, and tells how many it made', async () => {
  const { relay, client, other } = await relayed()
  expect(await relay.close()).toBe(1)
  const refused = connect(relay.port, '127.0.0.1')
  const [error] = (await once(refused, 'error')) as [NodeJS.ErrnoException]
  expect(error.code).toBe('ECONNREFUSED')
  client.write('hello')
  expect(String((await once(other, 'data'))[0])).toBe('hello')
})
