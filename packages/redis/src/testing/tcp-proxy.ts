import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A relay to a port of 127.0.0.1 that counts, and loses answers when told to. */
export interface TcpProxy {
  readonly port: number
  /** How often a client has sent something after an answer, since the last `reset`: what was sent in one go counts once. */
  roundTrips(): number
  reset(): void
  /** The next answer is not passed on, and the connection breaks: the server has done what the client never hears of. */
  loseNextAnswer(): void
}

/** Starts one, closed after the test. */
export async function tcpProxy(target: number): Promise<TcpProxy> {
  const sockets = new Set<Socket>()
  let roundTrips = 0
  let losing = false

  const server = createServer((client) => {
    const upstream = connect(target, '127.0.0.1')
    let asking = false
    const breakOff = (): void => {
      client.destroy()
      upstream.destroy()
    }
    for (const socket of [client, upstream]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', breakOff).on('close', () => {
        sockets.delete(socket)
        breakOff()
      })
    }
    client.on('data', (data) => {
      if (!asking) roundTrips++
      asking = true
      upstream.write(data)
    })
    upstream.on('data', (data) => {
      asking = false
      if (!losing) return void client.write(data)
      losing = false
      breakOff()
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy()
    server.close()
    await once(server, 'close')
  })
  return {
    port: (server.address() as AddressInfo).port,
    roundTrips: () => roundTrips,
    reset: () => {
      roundTrips = 0
    },
    loseNextAnswer: () => {
      losing = true
    },
  }
}
