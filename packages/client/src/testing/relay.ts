import { EventEmitter, once } from 'node:events'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'

/** A TCP hop in front of a server, whose connections can be frozen: nothing comes through any more, and nobody is told. */
export interface Relay {
  readonly origin: string
  /** How many connections were made through it. */
  readonly made: () => number
  /** Freezes those that there are. New ones work. */
  freeze(): void
  /** Resolves when a frozen connection has swallowed something more. */
  swallowed(): Promise<unknown>
  close(): Promise<void>
}

/** Starts a relay to a server of 127.0.0.1. */
export async function startRelay(to: string): Promise<Relay> {
  const { protocol, port } = new URL(to)
  const sockets = new Set<Socket>()
  const frozen = new Set<Socket>()
  const events = new EventEmitter()
  let made = 0
  const relay = createServer((near) => {
    made += 1
    const far = connect(Number(port), '127.0.0.1')
    for (const [from, other] of [[near, far], [far, near]] as const) {
      sockets.add(from)
      from.on('error', () => {})
      from.on('data', (chunk) => {
        if (!frozen.has(near)) other.write(chunk)
        else if (from === near) events.emit('swallowed')
      })
      from.once('close', () => {
        sockets.delete(from)
        if (!frozen.has(near)) other.destroy()
      })
    }
  })
  relay.listen(0, '127.0.0.1')
  await once(relay, 'listening')
  return {
    origin: `${protocol}//127.0.0.1:${(relay.address() as AddressInfo).port}`,
    made: () => made,
    freeze() {
      for (const socket of sockets) frozen.add(socket)
    },
    swallowed: () => once(events, 'swallowed'),
    async close() {
      relay.close()
      for (const socket of sockets) socket.destroy()
      await once(relay, 'close')
    },
  }
}
