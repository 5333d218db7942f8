import { requestText } from '@hopwise/testkit/adapter'
import { answerOn, type Case } from '../case.js'

const get = (target: string): Uint8Array => requestText('GET', target, {})

/** Connections with an answer on its way. */
export const inFlight: readonly Case[] = [
  {
    name: 'T1',
    about: 'a request in flight: answered, and told Connection: close',
    protocol: 'http/1.1',
    run: async ({ connect, began, stop }) => {
      const connection = await connect()
      connection.write(get('/slow'))
      await began()
      stop()
      const { body, connection: says } = await answerOn(connection)
      return { outcome: `${body}, conn=${says}`, right: body === 'slow-done' && says === 'close' }
    },
  },
  {
    name: 'T2',
    about: 'a request whose header was sent before the stop, and a next one on its surviving connection: both answered, the last one told Connection: close',
    protocol: 'http/1.1',
    run: async ({ connect, began, stop }) => {
      const connection = await connect()
      connection.write(get('/begun'))
      await began()
      stop()
      const first = await answerOn(connection)
      connection.write(get('/now'))
      const second = await answerOn(connection)
      return { outcome: `${first.body}, ${second.body}, conn=[${first.connection}|${second.connection}]`, right: first.body === 'slow-done' && second.body === 'now' && second.connection === 'close' }
    },
  },
  {
    name: 'T6',
    about: 'two pipelined requests in flight: both answered, the last one told Connection: close',
    protocol: 'http/1.1',
    run: async ({ connect, began, stop }) => {
      const connection = await connect()
      connection.write(Buffer.concat([get('/slow'), get('/slow')]))
      await began()
      stop()
      const first = await answerOn(connection)
      const second = await answerOn(connection)
      return { outcome: `${first.body}, ${second.body}, conn=[${first.connection}|${second.connection}]`, right: first.body === 'slow-done' && second.body === 'slow-done' && second.connection === 'close' }
    },
  },
]
