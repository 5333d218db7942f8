import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { answerBody, type FromServer } from './messages.js'

/** The server of the suite, in a process of its own: reads the request, and answers with a small JSON. */
const fields = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(answerBody) }
const server = createServer((request, response) => {
  request.resume()
  request.once('end', () => response.writeHead(200, fields).end(answerBody))
})
server.keepAliveTimeout = 60_000
process.on('disconnect', () => process.exit(0))
server.listen(0, '127.0.0.1', () => process.send?.({ kind: 'listening', port: (server.address() as AddressInfo).port } satisfies FromServer))
