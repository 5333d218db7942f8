import type { DrainMode, DrainPhase } from '@hopwise/core'
import type { Connection } from './connections.js'
import type { DrainReport } from './events.js'

type Counted = 'announcing' | 'draining'

/** What a drain counts on its way, for its report. */
export class DrainCounts {
  shed = 0
  readonly #phases = { announcing: { milliseconds: 0, requests: 0, connections: 0 }, draining: { milliseconds: 0, requests: 0, connections: 0 } }
  readonly #causes = new WeakMap<Connection, 'announced' | 'idle'>()
  readonly #closed = { announced: 0, idle: 0, byPeer: 0 }
  #inFlight = 0
  #startedAt = 0
  #phase: Counted | undefined
  #phaseSince = 0

  start(now: number, inFlight: number): void {
    this.#startedAt = now
    this.#inFlight = inFlight
  }

  enter(phase: DrainPhase, now: number): void {
    if (this.#phase !== undefined) this.#phases[this.#phase].milliseconds = Math.round(now - this.#phaseSince)
    this.#phase = counted(phase)
    this.#phaseSince = now
  }

  request(phase: DrainPhase): void {
    const name = counted(phase)
    if (name !== undefined) this.#phases[name].requests++
  }

  opened(phase: DrainPhase): void {
    const name = counted(phase)
    if (name !== undefined) this.#phases[name].connections++
  }

  /** Why a connection is ending. */
  cause(connection: Connection, cause: 'announced' | 'idle'): void {
    this.#causes.set(connection, cause)
  }

  /** A connection that was to be ended as idle is not. */
  inUse(connection: Connection): void {
    if (this.#causes.get(connection) === 'idle') this.#causes.delete(connection)
  }

  ending(connection: Connection): boolean {
    return this.#causes.has(connection)
  }

  closed(connection: Connection): void {
    this.#closed[this.#causes.get(connection) ?? 'byPeer']++
  }

  /** @param left connections that are open at the end: cut, but for those that only wait for the other side's FIN */
  report(mode: DrainMode, now: number, left: Iterable<Connection>, unfinished: number, farewells: number): DrainReport {
    const closed = { ...this.#closed, forced: 0 }
    for (const connection of left) {
      const said = connection.socket.writableFinished ? this.#causes.get(connection) : undefined
      closed[said ?? 'forced']++
    }
    const served = this.#phases.announcing.requests + this.#phases.draining.requests - this.shed
    return {
      mode,
      inFlight: this.#inFlight,
      servedWhileDraining: served,
      phases: this.#phases,
      shed: this.shed,
      farewells,
      closed,
      unfinished,
      milliseconds: Math.round(now - this.#startedAt),
    }
  }
}

function counted(phase: DrainPhase): Counted | undefined {
  return phase === 'announcing' || phase === 'draining' ? phase : undefined
}
