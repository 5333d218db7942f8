// A server in a process of its own that tells, by messages, what keeps it alive: once it listens, when asked to `look`, and after a `drain`.
import { createServer } from 'node:http'
import { attach } from '../../dist/index.js'

const server = createServer((_request, response) => response.end('ok'))
const hop = attach(server, { drain: { idleGrace: 20, streamSpread: 20 } })
server.on('upgrade', (_request, socket) => socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: echo\r\n\r\n'))
hop.on('farewell', ({ socket }) => socket.end())

/** What is over in this turn is not counted, nor are the pipes to the parent. */
function tell() {
  setImmediate(() => setImmediate(() => process.send({ port: server.address()?.port, resources: process.getActiveResourcesInfo().filter((name) => name !== 'Immediate' && name !== 'PipeWrap').toSorted() })))
}

process.on('message', async (message) => {
  if (message === 'drain') await hop.drain()
  tell()
})
server.listen(0, '127.0.0.1', tell)
