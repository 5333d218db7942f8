import { setTimeout as wait } from 'node:timers/promises'
import { connectWithinMs, type Client, type Method, type Outcome, type Targets } from './client.js'
import { openConnection, type KeptConnection } from './kept-connection.js'

/**
 * A client on `node:net` with one kept connection to each target, taken in turn. A target that refuses a connection is
 * passed over; what was written once is never written again.
 */
export class RawClient implements Client {
  readonly #targets: Targets
  readonly #kept = new Map<number, KeptConnection>()
  #turn: number

  /** @param first which target is the first one's turn */
  constructor(targets: Targets, first: number) {
    this.#targets = targets
    this.#turn = first
  }

  async send(method: Method): Promise<Outcome> {
    const { ports } = this.#targets
    const since = performance.now()
    while (performance.now() - since < connectWithinMs) {
      for (let tries = 0; tries < ports.length; tries++) {
        const connection = await this.#connectionTo(ports[this.#turn++ % ports.length] ?? 0)
        if (connection !== undefined) return connection.send(method)
      }
      await wait(5)
    }
    return 'ECONNREFUSED'
  }

  close(): void {
    for (const connection of this.#kept.values()) connection.close()
  }

  async #connectionTo(port: number): Promise<KeptConnection | undefined> {
    const kept = this.#kept.get(port)
    if (kept?.usable) return kept
    const fresh = await openConnection(port, this.#targets.tls)
    if (fresh === undefined) this.#kept.delete(port)
    else this.#kept.set(port, fresh)
    return fresh
  }
}
