import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createTlsServer } from 'node:https'
import type { AddressInfo, Socket } from 'node:net'
import { createArrivals } from './arrivals.js'

/** A request whose body is read as the test says. */
export interface Upload {
  /** Bytes that were read. */
  readonly received: number
  readonly ended: () => boolean
  /** Reads what has come, and waits for it. */
  readOn(): Promise<void>
  /** Reads all of it. */
  readAll(): Promise<void>
  answer(): void
}

/** A server that reads no body by itself. */
export interface UploadServer {
  readonly origin: string
  readonly uploads: readonly Upload[]
  begun(nth: number): Promise<Upload>
  close(): Promise<void>
}

/** Starts a server on a free port. */
export async function startUploadServer(tls?: { readonly key: string; readonly cert: string }): Promise<UploadServer> {
  const uploads: Upload[] = []
  const arrivals = createArrivals()
  const sockets = new Set<Socket>()
  const handle = (request: IncomingMessage, response: ServerResponse): void => {
    request.on('error', () => {})
    uploads.push(uploadOf(request, response))
    arrivals.told()
  }
  const server = tls === undefined ? createServer(handle) : createTlsServer(tls, handle)
  Object.assign(server, { keepAliveTimeout: 0, headersTimeout: 0, requestTimeout: 0 })
  server.on('connection', (socket: Socket) => sockets.add(socket))
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    origin: `${tls === undefined ? 'http' : 'https'}://127.0.0.1:${(server.address() as AddressInfo).port}`,
    uploads,
    begun: (nth) => arrivals.until(() => uploads[nth - 1]),
    async close() {
      server.close()
      for (const socket of sockets) socket.destroy()
      await once(server, 'close')
    },
  }
}

function uploadOf(request: IncomingMessage, response: ServerResponse): Upload {
  let received = 0
  const chunks = request.iterator({ destroyOnReturn: false })
  let ended = false
  const readOn = async (): Promise<void> => {
    const { done, value } = (await chunks.next()) as IteratorResult<Buffer, undefined>
    received += value?.length ?? 0
    ended = done === true
  }
  return {
    get received() {
      return received
    },
    ended: () => ended,
    readOn,
    async readAll() {
      while (!ended) await readOn()
    },
    answer: () => void response.end('ok'),
  }
}
