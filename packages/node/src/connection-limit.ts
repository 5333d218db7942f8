import type { Socket } from 'node:net'
import { problem, type Events } from '@hopwise/core'
import type { HopEvents } from './events.js'
import { replyAndEnd } from './raw-reply.js'

/**
 * Refuses connections beyond a number: 503, and closed. Over TLS and HTTP/2 they are closed without an answer: a
 * handshake is what whoever hoards connections would like the server to spend.
 */
export class ConnectionLimit {
  readonly #limit: number
  readonly #events: Events<HopEvents>
  #admitted = 0

  /** @param limit how many may be open; without one there is no limit */
  constructor(limit: number | undefined, events: Events<HopEvents>) {
    this.#limit = limit ?? Number.POSITIVE_INFINITY
    this.#events = events
  }

  /** Whether a new connection is let in. Its place is free again when it is closed. */
  admits(socket: Socket, plainHttp1: boolean): boolean {
    if (this.#admitted < this.#limit) {
      this.#admitted++
      socket.once('close', () => this.#admitted--)
      return true
    }
    this.#events.emit('refused', () => ({ limit: this.#limit }))
    if (!plainHttp1) socket.destroy()
    // Node's own listener is still to come: it would take the socket back.
    else process.nextTick(() => replyAndEnd(socket, problem('server-full', 'Try again in a moment.', [['retry-after', '1']])))
    return false
  }
}
