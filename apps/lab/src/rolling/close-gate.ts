import { subscribe } from 'node:diagnostics_channel'
import { Server } from 'node:net'
import type { FromInstance, ToInstance } from './messages.js'

/** The listeners of this process wait with their closing. */
export interface CloseGate {
  /** Resolves when no closing is waiting any more. */
  passed(): Promise<void>
}

/**
 * Behind a relay nobody is ever refused: the kernel accepts for the relay before the relay can know. So every
 * `server.close()` of this process, whoever calls it, first asks for the relay's listener to be closed, waits until this
 * process has accepted all connections that the relay has made, and only then closes. To be called before anything
 * that listens is loaded.
 */
export function gateClose(): CloseGate {
  const closeNow = Server.prototype.close
  let accepted = 0
  let wanted = Number.POSITIVE_INFINITY
  const waiting: (() => void)[] = []
  let last = Promise.resolve()
  const look = (): void => {
    if (accepted < wanted) return
    for (const go of waiting.splice(0)) go()
  }
  subscribe('net.server.socket', () => {
    accepted++
    look()
  })
  process.on('message', (message: ToInstance) => {
    if (message.kind !== 'relay-closed') return
    wanted = message.connections
    look()
  })
  Server.prototype.close = function close(this: Server, callback?: (error?: Error) => void): Server {
    // After close() nobody expects a server to listen.
    Object.defineProperty(this, 'listening', { configurable: true, value: false })
    last = new Promise<void>((resolve) => {
      waiting.push(resolve)
      process.send?.({ kind: 'closing' } satisfies FromInstance)
    }).then(() => {
      Reflect.deleteProperty(this, 'listening')
      closeNow.call(this, callback)
    })
    return this
  }
  return { passed: () => last }
}
