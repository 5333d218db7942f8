import { once } from 'node:events'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { startHaproxy } from './haproxy.js'

async function startInstance(name: string) {
  const instance = { ready: true, port: 0 }
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/ready' && !instance.ready ? 503 : 200).end(name)
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
  instance.port = (server.address() as AddressInfo).port
  return instance
}

test('it is in front of its instances, and takes one out of rotation that says it is not ready', async () => {
  const [one, other] = [await startInstance('one'), await startInstance('other')]
  const haproxy = await startHaproxy([{ name: 'orders', upstreamPorts: [one.port, other.port], healthPath: '/ready' }])
  onTestFinished(() => haproxy.stop())
  expect(haproxy.version).toMatch(/^\d+\.\d+/)
  while ((await haproxy.up('orders')) < 2) await wait(20)

  one.ready = false
  while ((await haproxy.up('orders')) > 1) await wait(20)
  const answers = await Promise.all(Array.from({ length: 4 }, async () => (await fetch(`http://127.0.0.1:${haproxy.ports['orders']}/`)).text()))
  expect(answers).toEqual(['other', 'other', 'other', 'other'])
  expect((await haproxy.errors()).some((line) => line.includes('orders/s0 is DOWN'))).toBe(true)
})
