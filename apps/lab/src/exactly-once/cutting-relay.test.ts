import { once } from 'node:events'
import { connect, createServer, type AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { startCuttingRelay, type Cut } from './cutting-relay.js'

const answer = 'HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\nhello'
const whole = 'POST / HTTP/1.1\r\nhost: a\r\nx-request-id: one\r\ncontent-length: 4\r\n\r\nbody'

/** A server that counts what it got and answers each whole request, behind a relay. */
async function relayed(cut: Cut | undefined) {
  let got = ''
  const server = createServer((socket) => {
    socket.on('error', () => {})
    socket.on('data', (chunk: Buffer) => {
      got += chunk.toString()
      if (got.endsWith('body')) socket.write(answer)
    })
  }).listen(0, '127.0.0.1')
  await once(server, 'listening')
  const relay = await startCuttingRelay((server.address() as AddressInfo).port)
  const asked: string[] = []
  relay.chooseCut = (header) => {
    asked.push(header)
    return cut
  }
  const client = connect({ port: relay.port, host: '127.0.0.1' })
  onTestFinished(async () => {
    client.destroy()
    await relay.stop()
    server.close()
  })
  let read = ''
  client.on('data', (chunk: Buffer) => {
    read += chunk.toString()
  })
  const ended = new Promise<string>((resolve) => {
    client.once('end', () => resolve('FIN'))
    client.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
  })
  return { client, asked, ended, got: () => got, read: () => read }
}

test('what is not to be cut passes, and each request is asked about once it is whole', async () => {
  const { client, asked, read } = await relayed(undefined)
  for (const part of [whole.slice(0, 20), whole.slice(20, -2)]) await new Promise((resolve) => client.write(part, resolve))
  client.write(whole.slice(-2))
  await once(client, 'data')
  client.write(whole)
  await once(client, 'data')
  expect([read(), asked]).toEqual([answer + answer, [whole.slice(0, -8), whole.slice(0, -8)]])
})

test.each([
  { where: 'request', how: 'reset', share: 0, through: 0, end: 'ECONNRESET' },
  { where: 'request', how: 'close', share: 0, through: 0, end: 'FIN' },
  { where: 'answer', how: 'reset', share: 0.9, through: 0, end: 'ECONNRESET' },
  { where: 'answer', how: 'close', share: 0.9, through: 0, end: 'FIN' },
  { where: 'within-answer', how: 'close', share: 0, through: 1, end: 'FIN' },
  { where: 'within-answer', how: 'close', share: 0.999, through: answer.length - 1, end: 'FIN' },
] as const)('$where, $how: the server has the request, and $through bytes come back', async ({ through, end, ...cut }) => {
  const { client, ended, got, read } = await relayed(cut)
  client.write(whole)
  expect([await ended, read()]).toEqual([end, answer.slice(0, through)])
  await expect.poll(got).toBe(whole)
})
