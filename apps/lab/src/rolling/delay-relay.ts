import { once } from 'node:events'
import { connect, createServer, type Server, type Socket } from 'node:net'
import { setImmediate as turn } from 'node:timers/promises'

/** A turn of the event loop that takes longer may have left a connection in the accept queue. */
const shortTurnMs = 1
/** So many turns may be busy ones before the listener closes all the same. */
const mostTurns = 500

/** A TCP relay in front of one port, so much of a round trip away. */
export interface DelayRelay {
  readonly port: number
  /** Listens from now on, and counts connections anew. */
  open(): Promise<void>
  /**
   * Stops listening in a moment in which nothing waits to be accepted. Resolves when every connection that was accepted
   * has its other half, with their number.
   */
  close(): Promise<number>
  stop(): void
}

/**
 * Makes a relay that passes everything on after half of `rttMs` in each direction and in its order: bytes, FIN (the other
 * direction stays open) and RST. Only a connection's beginning is not delayed.
 */
export function createDelayRelay(port: number, target: number, rttMs: number): DelayRelay {
  const open = new Set<Socket>()
  const there = Math.floor(rttMs / 2)
  let listener: Server | undefined
  let [accepted, connecting, made] = [0, 0, 0]
  const waiting: (() => void)[] = []

  const relay = (client: Socket): void => {
    accepted++
    connecting++
    const upstream = connect({ port: target, host: '127.0.0.1', allowHalfOpen: true, noDelay: true })
    upstream.once('connect', () => made++)
    for (const event of ['connect', 'error']) upstream.once(event, settle)
    for (const socket of [client, upstream]) {
      open.add(socket)
      socket.once('close', () => open.delete(socket))
    }
    pass(client, upstream, there)
    pass(upstream, client, rttMs - there)

    let settled = false
    function settle(): void {
      if (settled) return
      settled = true
      if (--connecting === 0) for (const go of waiting.splice(0)) go()
    }
  }

  return {
    port,
    open: async () => {
      ;[accepted, made] = [0, 0]
      listener = createServer({ allowHalfOpen: true, noDelay: true }, relay)
      listener.listen(port, '127.0.0.1')
      await once(listener, 'listening')
    },
    close: async () => {
      const closing = listener
      listener = undefined
      if (closing !== undefined) await closeWhenQuiet(closing, () => accepted)
      if (connecting > 0) await new Promise<void>((resolve) => waiting.push(resolve))
      return made
    },
    stop: () => {
      listener?.close()
      for (const socket of open) socket.destroy()
    },
  }
}

/** The same care as in @hopwise/node's closing.ts: what sits in the accept queue when a listener closes is reset. */
async function closeWhenQuiet(server: Server, accepted: () => number): Promise<void> {
  for (let turnsLeft = mostTurns; turnsLeft > 0; turnsLeft--) {
    const [before, since] = [accepted(), performance.now()]
    await turn()
    if (accepted() === before && performance.now() - since <= shortTurnMs) break
  }
  server.close()
}

/** Timers of the same length fire in the order in which they were set. */
function pass(from: Socket, to: Socket, ms: number): void {
  const later = (act: () => void): void => {
    setTimeout(() => {
      if (!to.destroyed) act()
    }, ms)
  }
  from.on('data', (chunk) => later(() => to.write(chunk)))
  from.once('end', () => later(() => to.end()))
  from.once('error', () => later(() => to.resetAndDestroy()))
}
