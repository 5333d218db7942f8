import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { Pool, errors } from 'undici'

/** A proxy that runs. */
export interface FallbackProxy {
  readonly port: number
  stop(): Promise<void>
}

/** Nginx's own figure for idle upstream connections. */
const upstreamIdleMs = 60_000

/**
 * Stands in where nginx is missing: a reverse proxy on undici's pools that behaves like nginx with upstream
 * keep-alive. It takes the instances in turn, reuses idle connections for 60 s, goes to the other instance where a
 * connection is refused, tries a GET again where a reused connection dies, and answers 502 for a POST.
 */
export async function startFallbackProxy(upstreamPorts: readonly number[]): Promise<FallbackProxy> {
  const pools = upstreamPorts.map((port) => new Pool(`http://127.0.0.1:${port}`, {
    keepAliveTimeout: upstreamIdleMs,
    keepAliveMaxTimeout: upstreamIdleMs,
    // What the server hints is taken as nginx takes it: not at all.
    keepAliveTimeoutThreshold: -upstreamIdleMs,
    pipelining: 1,
    connections: 64,
  }))
  let turn = 0

  const forward = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readAll(request)
    const order = pools.map((_, index) => pools[(turn + index) % pools.length])
    turn++
    let retriesLeft = request.method === 'GET' ? pools.length : 0
    for (const pool of order) {
      if (pool === undefined) continue
      try {
        const { connection: _own, host: _host, 'content-length': _length, 'transfer-encoding': _coding, ...headers } = request.headers
        const answer = await pool.request({ path: request.url ?? '/', method: request.method ?? 'GET', headers, body })
        const { connection: _hop, 'keep-alive': _hint, 'transfer-encoding': _framing, ...fields } = answer.headers
        const bytes = Buffer.from(await answer.body.arrayBuffer())
        response.writeHead(answer.statusCode, { ...fields, 'content-length': bytes.length }).end(bytes)
        return
      } catch (error) {
        if (!refused(error) && retriesLeft-- <= 0) break
      }
    }
    response.writeHead(502).end('Bad Gateway')
  }

  const server = createServer((request, response) => {
    forward(request, response).catch(() => response.destroy())
  })
  server.keepAliveTimeout = 75_000
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    stop: async () => {
      server.close()
      server.closeAllConnections()
      await Promise.all(pools.map((pool) => pool.destroy()))
    },
  }
}

function refused(error: unknown): boolean {
  return error instanceof errors.ConnectTimeoutError || (error as { code?: string }).code === 'ECONNREFUSED'
}

async function readAll(request: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}
