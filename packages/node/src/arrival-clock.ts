import { problem, type Events, type ServerSettings } from '@hopwise/core'
import { afterOnePoll } from './closing.js'
import { arriving, type Connection, type Connections } from './connections.js'
import type { HopEvents } from './events.js'
import { replyAndEnd } from './raw-reply.js'

/** The parts of a request that can be late. */
type Part = 'header' | 'body'

/** How finely the clock looks: late by at most so much of the limit. */
const precision = 1 / 20

/**
 * Bounds how long a request may take to arrive, in Node's stead: Node's own clock begins when the connection is opened,
 * and ends one that never spoke with a 408 that nobody asked for; it looks every 30 s; and it does not look whether the
 * rest is in the kernel already. This one begins with the first byte. It ticks while connections are open.
 */
export class ArrivalClock {
  readonly #limits: Readonly<Record<Part, number>>
  readonly #connections: () => Connections
  readonly #events: Events<HopEvents>
  #timer: NodeJS.Timeout | undefined

  constructor(settings: ServerSettings, connections: () => Connections, events: Events<HopEvents>) {
    this.#limits = { header: settings.headersTimeout, body: settings.requestTimeout }
    this.#connections = connections
    this.#events = events
  }

  /** A connection was opened. */
  start(): void {
    if (this.#timer !== undefined) return
    this.#timer = setTimeout(() => this.#look(), Math.max(20, Math.min(this.#limits.header, this.#limits.body) * precision)).unref()
  }

  #look(): void {
    this.#timer = undefined
    const now = performance.now()
    const { open } = this.#connections()
    for (const connection of open.values()) {
      const part = arriving(connection)
      if (part === undefined) continue
      connection.arrivingSince ??= now
      if (now - connection.arrivingSince >= this.#limits[part]) this.#giveUp(connection, part)
    }
    if (open.size > 0) this.start()
  }

  #giveUp(connection: Connection, part: Part): void {
    const { arrivingSince, requests, socket } = connection
    afterOnePoll(() => {
      if (arriving(connection) !== part || connection.arrivingSince !== arrivingSince || connection.requests !== requests || !socket.writable) return
      this.#events.emit('slowRequest', () => ({ part, milliseconds: Math.round(performance.now() - (arrivingSince ?? 0)) }))
      const [response] = connection.pending
      if (connection.answeredEarly !== undefined || response?.headersSent) socket.destroy()
      else replyAndEnd(socket, problem('request-timeout', `The ${part} of the request took longer than ${this.#limits[part] / 1_000} s.`))
    })
  }
}
