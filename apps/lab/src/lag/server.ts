import { stat } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { attach } from '@hopwise/node'
import { block } from '../block.js'
import type { FromServer, LagOptions } from './messages.js'
import { beforeDeadlineMs, idleMs } from './times.js'

/** A server whose event loop is blocked across the idle deadline of its connections. */
const { server: name, phase, lagMs, sockets } = JSON.parse(process.argv[2] ?? '{}') as LagOptions
const tell = (message: FromServer): void => void process.send?.(message)
process.on('disconnect', () => process.exit(1))

let answered = 0
let firstAt = 0
const server = createServer((_request, response) => {
  response.end('ok')
  response.once('finish', () => {
    answered++
    if (answered === 1) firstAt = performance.now()
    if (answered === sockets) blockAcrossDeadline(performance.now() - firstAt)
  })
})
if (name === 'hopwise') attach(server, { server: { keepAliveTimeout: idleMs, keepAliveTimeoutBuffer: 0 } })
else {
  server.keepAliveTimeout = idleMs
  if ('keepAliveTimeoutBuffer' in server) server.keepAliveTimeoutBuffer = 0
}

const runIn: Readonly<Record<LagOptions['phase'], (callback: () => void) => void>> = {
  timer: (callback) => callback(),
  poll: (callback) => stat('.', callback),
  check: (callback) => void setImmediate(callback),
}

function blockAcrossDeadline(spreadMs: number): void {
  // Node 20 waits for one more second, and cannot be told not to.
  const deadlineMs = 'keepAliveTimeoutBuffer' in server ? idleMs : idleMs + 1_000
  setTimeout(() => {
    runIn[phase](() => {
      tell({ kind: 'blocked', spreadMs })
      block(beforeDeadlineMs + lagMs)
    })
  }, deadlineMs - beforeDeadlineMs)
}

server.listen(0, '127.0.0.1', () => tell({ kind: 'listening', port: (server.address() as AddressInfo).port }))
