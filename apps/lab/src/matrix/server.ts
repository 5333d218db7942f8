import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createSecureServer, createServer as createHttp2Server, type Http2ServerRequest, type Http2ServerResponse } from 'node:http2'
import type { AddressInfo, Socket } from 'node:net'
import { Readable } from 'node:stream'
import type { Hop } from '@hopwise/node'
import { block } from '../block.js'
import { stopWithHopwise } from '../servers/hopwise.js'
import { stoppers } from '../servers/stoppers.js'
import type { FromServer, MatrixOptions, ToServer } from './messages.js'
import { bigBody, bigBytes, slowMs } from './sizes.js'

/** The server of one case, a process of its own. */
const { server: name, protocol, deadlineMs, tls } = JSON.parse(process.argv[2] ?? '{}') as MatrixOptions
const tell = (message: FromServer): void => void process.send?.(message)
process.on('disconnect', () => process.exit(1))

let hop: Hop | undefined

/** What the cases ask for. */
const answers: Readonly<Record<string, (request: IncomingMessage, response: ServerResponse) => void>> = {
  '/slow': (_request, response) => void setTimeout(() => response.end('slow-done'), slowMs),
  '/begun': (_request, response) => {
    response.writeHead(200, { 'content-length': 9 }).write('slow')
    setTimeout(() => response.end('-done'), slowMs)
  },
  '/now': (_request, response) => void response.end('now'),
  '/big': (_request, response) => {
    response.writeHead(200, { 'content-length': bigBytes })
    Readable.from(bigBody()).pipe(response)
  },
  '/read': (request, response) => {
    let length = 0
    request.on('data', (chunk: Buffer) => (length += chunk.length))
    request.on('end', () => response.end(`read ${length}`))
  },
  '/events': (request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' }).write('data: hello\n\n')
    hop?.drainSignal(request).addEventListener('abort', () => response.end('data: bye\n\n'))
  },
}

function answer(request: IncomingMessage, response: ServerResponse): void {
  tell({ kind: 'began' })
  answers[request.url ?? '']?.(request, response)
}

function answerStream(request: Http2ServerRequest, response: Http2ServerResponse): void {
  tell({ kind: 'began' })
  if (request.url === '/slow') setTimeout(() => response.end('slow-done'), slowMs)
  else response.end('late')
}

const makers = {
  'http/1.1': () =>
    createServer(answer).on('upgrade', (_request, socket) => {
      tell({ kind: 'began' })
      socket.on('error', () => {})
      socket.write('HTTP/1.1 101 Switching Protocols\r\nconnection: upgrade\r\nupgrade: lab\r\n\r\nhello')
    }),
  h2c: () => createHttp2Server(answerStream),
  h2: () => createSecureServer(tls, answerStream),
} as const
const server = makers[protocol]()

if (name === 'hopwise') {
  hop = stopWithHopwise(server, { drain: { deadline: deadlineMs } }, () => process.exit(0))
  hop.on('farewell', ({ socket, upgraded }: { readonly socket: Socket; readonly upgraded: boolean }) => {
    if (upgraded) socket.end('bye')
  })
} else {
  // Core's close() has no deadline of its own, and this is to be seen.
  await stoppers[name]?.(server, { deadlineMs: name === 'close' ? undefined : deadlineMs, end: () => process.exit(0) })
}

process.on('message', ({ milliseconds }: ToServer) => {
  // In a timer, after which the event loop polls: whoever waits for that much finds what has come meanwhile.
  setTimeout(() => {
    tell({ kind: 'blocked' })
    block(milliseconds)
    process.emit('SIGTERM', 'SIGTERM')
  })
})
server.listen(0, '127.0.0.1', () => tell({ kind: 'listening', port: (server.address() as AddressInfo).port }))
