import { createServer, type Socket } from 'node:net'
import type { Fault } from '../faults.js'
import { Counter } from './counter.js'
import type { SiteOptions } from './messages.js'
import { RequestReader } from './request-reader.js'
import { openSite, type Site } from './site.js'

/** HTTP/1.1 on bare sockets: what is written, and how a connection ends, is decided here and by nobody else. */
export function openHttp1Site({ faults, gather = 0 }: SiteOptions): Promise<Site> {
  const counter = new Counter(faults)
  const gathered = new Set<Socket>()
  const server = createServer({ noDelay: true }, (socket) => {
    let requests = 0
    const reader = new RequestReader((path) => {
      requests += 1
      const { fault, unset } = counter.arrived(path, requests > 1)
      if (fault !== 'gather') return act(socket, fault, unset)
      gathered.add(socket)
      if (gathered.size === gather) for (const one of gathered) act(one, 'none', false)
    })
    socket.on('data', (chunk) => reader.push(chunk))
  })
  return openSite(server, () => counter.tallies())
}

function act(socket: Socket, fault: Fault, unset: boolean): void {
  switch (fault) {
    case 'reusefin':
    case 'onefin':
    case 'freshfin':
      socket.end()
      return
    case 'reuserst':
    case 'onerst':
    case 'freshrst':
      socket.resetAndDestroy()
      return
    case 'midheaders':
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/pl')
      return
    case 'midbody':
      socket.end('HTTP/1.1 200 OK\r\ncontent-type: text/plain\r\ncontent-length: 10\r\n\r\nabc')
      return
    case 'blackhole':
      return
    case 's503':
      return answer(socket, '503 Service Unavailable', 'busy', 'retry-after: 1\r\n')
    case 'down':
      return answer(socket, '503 Service Unavailable', 'down')
    case 's500':
      return answer(socket, '500 Internal Server Error', 'failed')
    default:
      return answer(socket, '200 OK', unset ? 'unset' : 'ok')
  }
}

function answer(socket: Socket, status: string, body: string, fields = ''): void {
  socket.write(`HTTP/1.1 ${status}\r\ncontent-type: text/plain\r\n${fields}content-length: ${body.length}\r\n\r\n${body}`)
}
