import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A TCP relay that lets a request through and cuts the connection when its answer comes. */
export interface CuttingRelay {
  readonly port: number
  /** Cuts the next `count` exchanges whose request holds `mark` and a character that ends it. */
  cutAnswersOf(mark: string, count: number): void
  stop(): Promise<void>
}

/**
 * Starts the relay in front of `port`. The first byte of an answer proves that the request was processed: at that
 * moment the client's connection is reset, and it never sees it. One exchange a connection.
 */
export async function startCuttingRelay(port: number): Promise<CuttingRelay> {
  const cuts = new Map<string, number>()
  const open = new Set<Socket>()
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    let asked = ''
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.on('error', () => {})
      socket.once('close', () => {
        open.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
    client.on('data', (chunk) => {
      asked += chunk.toString('latin1')
      upstream.write(chunk)
    })
    upstream.once('data', () => {
      const reference = /"reference":"([^"]+)"/.exec(asked)?.[1] ?? ''
      const left = cuts.get(reference) ?? 0
      if (left === 0) return
      cuts.set(reference, left - 1)
      client.resetAndDestroy()
      upstream.destroy()
    })
    upstream.on('data', (chunk) => client.write(chunk))
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    cutAnswersOf: (mark, count) => void cuts.set(mark, count),
    stop: async () => {
      server.close()
      for (const socket of open) socket.destroy()
      if (server.listening) await once(server, 'close')
    },
  }
}
