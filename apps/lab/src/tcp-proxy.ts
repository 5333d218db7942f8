import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'

/** A TCP proxy on 127.0.0.1 that counts, delays and cuts. */
export interface TcpProxy {
  readonly port: number
  /** Exchanges so far: each time that the client speaks after the server has (or first of all). */
  roundTrips(): number
  /** Resolves once nothing has passed for so many milliseconds, with the server the last to have spoken. */
  quiet(milliseconds: number): Promise<void>
  /** Holds every chunk back for so long, in each direction. */
  delay(milliseconds: number): void
  /** Ends all connections at once, by a reset. */
  cut(): void
  stop(): Promise<void>
}

/** Starts it in front of `port`. */
export async function startTcpProxy(port: number): Promise<TcpProxy> {
  const open = new Set<Socket>()
  let turns = 0
  let lastAt = 0
  /** Connections whose client has spoken and not been answered. */
  const waiting = new Set<Socket>()
  let delayMs = 0
  const server = createServer((client) => {
    const upstream = connect(port, '127.0.0.1')
    let clientsTurn = true
    const forward = (to: Socket, chunk: Buffer): void => {
      lastAt = performance.now()
      if (delayMs === 0) to.write(chunk)
      else setTimeout(() => to.write(chunk), delayMs)
    }
    client.on('data', (chunk) => {
      if (clientsTurn) turns++
      clientsTurn = false
      waiting.add(client)
      forward(upstream, chunk)
    })
    upstream.on('data', (chunk) => {
      clientsTurn = true
      waiting.delete(client)
      forward(client, chunk)
    })
    for (const [one, other] of [[client, upstream], [upstream, client]] as const) {
      open.add(one)
      one.setNoDelay(true)
      one.on('error', () => {})
      one.once('end', () => other.end())
      one.once('close', () => {
        open.delete(one)
        waiting.delete(client)
        other.destroy()
      })
    }
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    roundTrips: () => turns,
    quiet: async (milliseconds) => {
      while (waiting.size > 0 || performance.now() - lastAt < milliseconds) await wait(10)
    },
    delay: (milliseconds) => {
      delayMs = milliseconds
    },
    cut: () => {
      for (const socket of open) socket.resetAndDestroy()
    },
    stop: async () => {
      server.close()
      for (const socket of open) socket.destroy()
      await once(server, 'close')
    },
  }
}
