import type { Server as HttpServer } from 'node:http'
import type { Stopper } from './stopper.js'

/** Peers that stop a server of `node:http`, `node:https` or `node:http2` which somebody else made, by name. */
export const stoppers: Readonly<Record<string, Stopper>> = {
  exit: (_server, { end }) => void process.once('SIGTERM', end),

  close: (server, { deadlineMs, end }) => {
    process.once('SIGTERM', () => {
      server.close(end)
      if (deadlineMs !== undefined) setTimeout(end, deadlineMs)
    })
  },

  stoppable: async (server, { deadlineMs, end }) => {
    const { default: stoppable } = await import('stoppable')
    // Its types know no HTTP/2; what it does is the same.
    const decorated = stoppable(server as HttpServer, deadlineMs)
    process.once('SIGTERM', () => decorated.stop(end))
  },

  terminus: async (server, { deadlineMs }) => {
    const { createTerminus } = await import('@godaddy/terminus')
    createTerminus(server, { signals: ['SIGTERM'], logger: () => {}, ...(deadlineMs !== undefined && { timeout: deadlineMs }) })
  },

  'http-terminator': async (server, { deadlineMs, end }) => {
    const { createHttpTerminator } = await import('http-terminator')
    const terminator = createHttpTerminator({ server: server as HttpServer, ...(deadlineMs !== undefined && { gracefulTerminationTimeout: deadlineMs }) })
    process.once('SIGTERM', () => void terminator.terminate().then(end))
  },

  'http-graceful-shutdown': async (server, { deadlineMs }) => {
    const { default: gracefulShutdown } = await import('http-graceful-shutdown')
    gracefulShutdown(server, { signals: 'SIGTERM', ...(deadlineMs !== undefined && { timeout: deadlineMs }) })
  },
}
