import { connect as connectSocket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { requestText } from '@hopwise/testkit/adapter'
import { answerOn, orSilence, type Case } from '../case.js'

const restAfterMs = 300
/** What was written has reached the server by then. */
const arrivedAfterMs = 100
const idleConnections = 20

/** Connections without a whole request at the moment of the stop. */
export const arriving: readonly Case[] = [
  {
    name: 'T3',
    about: 'a connection that never spoke: closed without a reset',
    protocol: 'http/1.1',
    run: async ({ connect, stop }) => {
      const connection = await connect()
      await wait(arrivedAfterMs)
      stop()
      const end = await orSilence<string>(connection.closed(), 'open')
      return { outcome: end, right: end === 'end' }
    },
  },
  halfSent('T4', 'half a header, the rest 300 ms after the stop: served', 'GET /now HTTP/1.1\r\nhost: t', 'est\r\n\r\n', 'now'),
  halfSent('T5', 'half a body, the rest 300 ms after the stop: served', 'POST /read HTTP/1.1\r\nhost: test\r\ncontent-length: 8\r\n\r\nfour', 'more', 'read 8'),
  {
    name: 'T7',
    about: `${idleConnections} idle connections whose next request is in the kernel's buffer at the stop: all served`,
    protocol: 'http/1.1',
    run: async ({ connect, blockThenStop }) => {
      const connections = await Promise.all(Array.from({ length: idleConnections }, connect))
      for (const connection of connections) {
        connection.write(requestText('GET', '/now', {}))
        await answerOn(connection)
      }
      await blockThenStop(400)
      for (const connection of connections) connection.write(requestText('GET', '/now', {}))
      const bodies = await Promise.all(connections.map(async (connection) => (await answerOn(connection)).body))
      const served = bodies.filter((body) => body === 'now').length
      return { outcome: `served ${served}/${idleConnections}`, right: served === idleConnections }
    },
  },
  {
    name: 'T8',
    about: 'a new connection while a request is in flight: refused, so that its client turns elsewhere',
    protocol: 'http/1.1',
    run: async ({ connect, began, stop, port }) => {
      const busy = await connect()
      busy.write(requestText('GET', '/slow', {}))
      await began()
      stop()
      await wait(arrivedAfterMs)
      const outcome = await tryToConnect(port)
      return { outcome, right: outcome === 'ECONNREFUSED' }
    },
  },
]

function halfSent(name: string, about: string, half: string, rest: string, wanted: string): Case {
  return {
    name,
    about,
    protocol: 'http/1.1',
    run: async ({ connect, stop }) => {
      const connection = await connect()
      connection.write(half)
      await wait(arrivedAfterMs)
      stop()
      await wait(restAfterMs)
      connection.write(rest)
      const { body, connection: says } = await answerOn(connection)
      return { outcome: `${body}, conn=${says}`, right: body === wanted && says === 'close' }
    },
  }
}

function tryToConnect(port: number): Promise<string> {
  return new Promise((resolve) => {
    const socket = connectSocket(port, '127.0.0.1')
    let connected = false
    const over = (how: string): void => {
      resolve(connected ? `accepted, then ${how}` : how)
      socket.destroy()
    }
    socket.setTimeout(1_000, () => over('open'))
    socket.once('connect', () => {
      connected = true
    })
    socket.resume()
    socket.once('end', () => over('FIN'))
    socket.once('error', (error: NodeJS.ErrnoException) => over(error.code ?? error.message))
  })
}
