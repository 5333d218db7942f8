import { once } from 'node:events'
import { connect as connectSocket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import { requestText } from '@hopwise/testkit/adapter'
import { orSilence, type Case } from '../case.js'
import { bigBytes } from '../sizes.js'

/** The reader rests so long after so many bytes: about 0.8 s for the whole. */
const readsAtOnce = 500_000
const restsMs = 20

/** Exchanges that are long, or have no end of their own. */
export const long: readonly Case[] = [
  {
    name: 'T9',
    about: '20 MB with the header sent before the stop, and a slow reader: the whole body',
    protocol: 'http/1.1',
    run: async ({ port, stop }) => {
      const socket = connectSocket(port, '127.0.0.1')
      socket.on('error', () => {})
      socket.write(requestText('GET', '/big', {}))
      const [head] = (await once(socket, 'data')) as [Buffer]
      socket.pause()
      stop()
      const expected = bigBytes + head.indexOf('\r\n\r\n') + 4
      const received = await orSilence(readSlowly(socket, head.length, expected), -1)
      return { outcome: received === expected ? 'whole body' : `${received} of ${expected} bytes`, right: received === expected }
    },
  },
  {
    name: 'T10',
    about: 'an upgraded connection: its owner says goodbye and ends it, before the deadline',
    protocol: 'http/1.1',
    run: async ({ connect, began, stop }) => {
      const connection = await connect()
      connection.write(requestText('GET', '/', { connection: 'upgrade', upgrade: 'lab' }))
      await began()
      stop()
      return goodbye(connection, /bye$/)
    },
  },
  {
    name: 'T11',
    about: 'an event stream: its handler says goodbye and ends it, before the deadline',
    protocol: 'http/1.1',
    run: async ({ connect, began, stop }) => {
      const connection = await connect()
      connection.write(requestText('GET', '/events', {}))
      await began()
      stop()
      return goodbye(connection, /data: bye\n\n\r\n0\r\n\r\n$/)
    },
  },
]

async function readSlowly(socket: ReturnType<typeof connectSocket>, before: number, expected: number): Promise<number> {
  let received = before
  let sinceRest = 0
  const over = new Promise<void>((resolve) => {
    socket.on('data', (chunk: Buffer) => {
      received += chunk.length
      sinceRest += chunk.length
      if (received >= expected) resolve()
      if (sinceRest < readsAtOnce) return
      sinceRest = 0
      socket.pause()
      void wait(restsMs).then(() => socket.resume())
    })
    socket.once('close', resolve)
  })
  socket.resume()
  await over
  return received
}

async function goodbye(connection: { closed(): Promise<'end' | 'reset'>; socket: NodeJS.EventEmitter }, wanted: RegExp) {
  let text = ''
  connection.socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1')
  })
  const end = await orSilence<string>(connection.closed(), 'open')
  const said = wanted.test(text)
  return { outcome: said ? `goodbye, then ${end}` : end === 'open' ? 'open' : `cut (${end})`, right: said && end === 'end' }
}
