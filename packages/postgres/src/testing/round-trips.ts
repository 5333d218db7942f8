import { once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { onTestFinished } from 'vitest'

/** A TCP relay to a server that counts how often a client says something after the server has answered. */
export interface RoundTrips {
  readonly port: number
  /** How many since it was asked last. */
  count(): number
  /** Cuts all connections. */
  cut(): void
  /** Cuts a connection instead of handing on the server's next answer on it. */
  cutNextAnswer(): void
}

/** Starts a relay to `port` of 127.0.0.1; it ends after the test. */
export async function countRoundTrips(port: number): Promise<RoundTrips> {
  const sockets = new Set<Socket>()
  let trips = 0
  let cutsNext = false
  const relay = createServer((client) => {
    const server = connect(port, '127.0.0.1')
    let clientSpoke = false
    client.on('data', () => {
      if (!clientSpoke) trips++
      clientSpoke = true
    })
    server.on('data', (data) => {
      clientSpoke = false
      if (cutsNext) client.destroy()
      else client.write(data)
      cutsNext = false
    })
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => undefined)
      socket.on('close', () => [client, server].forEach((each) => each.destroy()))
    }
    client.pipe(server)
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  const cut = (): void => {
    for (const socket of sockets) socket.destroy()
  }
  onTestFinished(() => {
    cut()
    relay.close()
  })
  return {
    port: (relay.address() as AddressInfo).port,
    count() {
      const counted = trips
      trips = 0
      return counted
    },
    cut,
    cutNextAnswer: () => void (cutsNext = true),
  }
}
