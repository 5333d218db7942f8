import type { IncomingMessage, Server as HttpServer, ServerResponse } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { connectionDecision, drainStep, type DrainPhase, type DrainPlan, type Events } from '@hopwise/core'
import { afterOnePoll, closeAfterResponse, endAndLinger, stopAccepting } from './closing.js'
import { isIdle, type Connection, type Connections } from './connections.js'
import type { DrainReport, HopEvents } from './events.js'

/** The sockets' side of a drain: it looks, asks `drainStep`, and does what that says. */
export class Drain {
  phase: DrainPhase = 'ready'
  readonly #server: HttpServer | HttpsServer
  readonly #plan: DrainPlan
  readonly #events: Events<HopEvents>
  readonly #connections: () => Connections
  readonly #announced = new Set<Connection>()
  readonly #endedIdle = new Set<Connection>()
  #startedAt = 0
  #inFlight = 0
  #served = 0
  #closed = { announced: 0, idle: 0, byPeer: 0 }
  #listening = true
  #timer: NodeJS.Timeout | undefined
  #finish: ((report: DrainReport) => void) | undefined
  #run: Promise<DrainReport> | undefined

  constructor(server: HttpServer | HttpsServer, plan: DrainPlan, events: Events<HopEvents>, connections: () => Connections) {
    this.#server = server
    this.#plan = plan
    this.#events = events
    this.#connections = connections
  }

  /** Starts the drain; a second call gives the first one's promise. */
  start(): Promise<DrainReport> {
    this.#run ??= new Promise((resolve) => {
      this.#finish = resolve
      this.#startedAt = performance.now()
      this.#inFlight = this.#connections().running.size
      this.look()
    })
    return this.#run
  }

  /** A request arrived: decides, when its header is written, whether its connection may live on. */
  watch(connection: Connection, request: IncomingMessage, response: ServerResponse): void {
    if (this.phase !== 'ready') this.#served++
    let asNodeWants = response.shouldKeepAlive
    Object.defineProperty(response, 'shouldKeepAlive', {
      configurable: true,
      enumerable: true,
      set: (value: boolean) => {
        asNodeWants = value
      },
      get: () => {
        const pipelinedBehind = connection.pending.length - 1 - connection.pending.indexOf(response)
        const keep = connectionDecision({ phase: this.phase, pipelinedBehind }) === 'keep'
        if (!keep) {
          this.#announced.add(connection)
          closeAfterResponse(connection.socket, request)
        }
        return asNodeWants && keep
      },
    })
  }

  /** A connection is gone. */
  closed(connection: Connection): void {
    if (this.phase === 'ready') return
    this.#closed[this.#announced.has(connection) ? 'announced' : this.#endedIdle.has(connection) ? 'idle' : 'byPeer']++
  }

  /** Something changed, or time has passed: takes the next step, if a drain is on. */
  look(): void {
    if (this.#startedAt === 0 || this.phase === 'closed') return
    clearTimeout(this.#timer)
    const { open, running, lastAcceptedAt } = this.#connections()
    const idle = [...open.values()].filter((connection) => isIdle(connection) && !this.#announced.has(connection) && !this.#endedIdle.has(connection))
    // A handler whose client is gone holds the drain as a connection does: its result is still to be stored.
    const orphans = [...running].filter((response) => !open.has(response.req.socket)).length
    const step = drainStep(this.#plan, {
      now: performance.now(),
      startedAt: this.#startedAt,
      phase: this.phase,
      lastConnectionAt: lastAcceptedAt(),
      openConnections: open.size + orphans + (this.#listening && this.phase === 'draining' ? 1 : 0),
      idleSince: idle.map((connection) => connection.quietSince),
    })
    if (step.closeIdleSince !== undefined) {
      for (const connection of idle) if (connection.quietSince <= step.closeIdleSince) this.#endIdle(connection)
    }
    this.#enter(step.phase)
    if (step.lookAgainIn !== undefined) this.#timer = setTimeout(() => this.look(), step.lookAgainIn)
  }

  #enter(phase: DrainPhase): void {
    if (phase === this.phase) return
    this.phase = phase
    const { open, running, accepted } = this.#connections()
    this.#events.emit('phase', () => ({ phase, openConnections: open.size, running: running.size }))
    if (phase === 'draining') {
      void stopAccepting(this.#server, accepted).then(() => {
        this.#listening = false
        this.look()
      })
    }
    if (phase === 'closed') this.#close()
  }

  /** Half-closes an idle connection, unless one poll phase shows that a request has come after all. */
  #endIdle(connection: Connection): void {
    this.#endedIdle.add(connection)
    afterOnePoll(() => {
      if (isIdle(connection)) return endAndLinger(connection.socket)
      this.#endedIdle.delete(connection)
      this.look()
    })
  }

  #close(): void {
    const { open, running } = this.#connections()
    const unfinished = [...running].filter((response) => !open.has(response.req.socket)).length
    const report: DrainReport = {
      mode: this.#plan.mode,
      inFlight: this.#inFlight,
      servedWhileDraining: this.#served,
      closed: { ...this.#closed, forced: open.size },
      unfinished,
      milliseconds: Math.round(performance.now() - this.#startedAt),
    }
    for (const { socket } of open.values()) socket.destroy()
    this.#events.emit('drained', () => report)
    this.#finish?.(report)
  }
}
