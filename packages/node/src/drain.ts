import { Server as NetServer } from 'node:net'
import { drainStep, durationField, farewellDelay, parseOptions, shouldShed, valueField, type Duration, type DurationInput, type DrainPhase, type DrainPlan, type Events } from '@hopwise/core'
import { afterOnePoll, endAndLinger, retireSession, stopAccepting } from './closing.js'
import { isIdle, type Connection, type Connections } from './connections.js'
import { DrainCounts } from './drain-counts.js'
import type { DrainReport, HopEvents } from './events.js'
import type { Farewells } from './farewell.js'
import type { AnyServer } from './server.js'
import { shedRequests } from './shedding.js'

/** What may be said of one drain. */
export interface DrainRunOptions {
  /** In the place of the policy's. Range 0 to 1 h; in a later call it can only bring the end nearer. */
  readonly deadline?: DurationInput
  /** When it is aborted, the drain ends at once: what is left is cut. */
  readonly signal?: AbortSignal
}

const runOptions = {
  deadline: durationField({ max: '1h' }),
  signal: valueField<AbortSignal>('an AbortSignal', (value) => value instanceof AbortSignal),
}

/** The sockets' side of a drain: it looks, asks `drainStep`, and does what that says. */
export class Drain {
  phase: DrainPhase = 'ready'
  readonly farewells: Farewells
  readonly #server: AnyServer
  readonly #events: Events<HopEvents>
  readonly #connections: () => Connections
  readonly #counts = new DrainCounts()
  readonly #finish: (report: DrainReport) => void
  readonly #finished: Promise<DrainReport>
  #plan: DrainPlan
  #startedAt: number | undefined
  #stopping = false
  #lookComes = false
  #timer: NodeJS.Timeout | undefined
  #undoShedding = (): void => {}

  constructor(server: AnyServer, plan: DrainPlan, events: Events<HopEvents>, connections: () => Connections, farewells: Farewells) {
    this.#server = server
    this.#plan = plan
    this.#events = events
    this.#connections = connections
    this.farewells = farewells
    let finish: (report: DrainReport) => void = () => {}
    this.#finished = new Promise((resolve) => {
      finish = resolve
    })
    this.#finish = finish
  }

  /** Starts the drain; a second call gives the first one's promise, and may bring its end nearer. */
  start(options?: DrainRunOptions): Promise<DrainReport> {
    const { deadline, signal } = parseOptions('drain', options, runOptions)
    const first = this.#startedAt === undefined
    const now = performance.now()
    const startedAt = (this.#startedAt ??= now)
    if (deadline !== undefined) {
      const fromStart = now - startedAt + deadline
      if (first || fromStart < this.#plan.deadline) {
        this.#plan = within(this.#plan, fromStart as Duration)
        if (this.phase === 'draining') this.#sayFarewell(startedAt)
      }
    }
    if (first) {
      const { open, running } = this.#connections()
      this.#counts.start(now, running.size + [...open.values()].reduce((sum, { streams }) => sum + streams.size, 0))
    }
    if (signal?.aborted) this.#enter('closed')
    else signal?.addEventListener('abort', this.#force)
    this.look()
    return this.#finished.finally(() => signal?.removeEventListener('abort', this.#force))
  }

  /** A request arrived. */
  request(): void {
    this.#counts.request(this.phase)
  }

  /** A connection turned out to speak HTTP/2: over TLS, a while after it was accepted. */
  session(connection: Connection): void {
    if (this.phase === 'draining') this.#retire(connection)
  }

  /** A connection was accepted. */
  opened(): void {
    this.#counts.opened(this.phase)
  }

  /** A response on the connection has said `close`: it is ending. */
  announced(connection: Connection): void {
    this.#counts.cause(connection, 'announced')
  }

  /** A connection is gone. */
  closed(connection: Connection): void {
    if (this.phase !== 'ready') this.#counts.closed(connection)
  }

  /** A response is over, or a connection is gone. Of many in one turn of the event loop, one look is taken. */
  changed(): void {
    if (this.#startedAt === undefined || this.#lookComes) return
    this.#lookComes = true
    setImmediate(() => {
      this.#lookComes = false
      this.look()
    })
  }

  /** Takes the next step, if a drain is on. */
  look(): void {
    const startedAt = this.#startedAt
    if (startedAt === undefined || this.phase === 'closed') return
    clearTimeout(this.#timer)
    const { open, lastAcceptedAt } = this.#connections()
    const idle = [...open.values()].filter((connection) => isIdle(connection) && !this.#counts.ending(connection))
    // A handler whose client is gone holds the drain as a connection does: its result is still to be stored.
    const orphans = this.#orphans()
    const step = drainStep(this.#plan, {
      now: performance.now(),
      startedAt,
      phase: this.phase,
      listening: this.#server.listening,
      lastConnectionAt: lastAcceptedAt(),
      openConnections: open.size + orphans,
      idleSince: idle.map((connection) => connection.quietSince),
    })
    this.#enter(step.phase)
    if (step.stopAccepting && !this.#stopping) {
      this.#stopping = true
      void stopAccepting(this.#server, this.#connections().accepted).then(() => this.look())
    }
    if (step.closeIdleSince !== undefined) {
      for (const connection of idle) if (connection.quietSince <= step.closeIdleSince) this.#endIdle(connection)
    }
    if (step.lookAgainIn !== undefined) this.#timer = setTimeout(() => this.look(), step.lookAgainIn)
  }

  readonly #force = (): void => this.#enter('closed')

  #orphans(): number {
    const { open, running } = this.#connections()
    return [...running].filter((response) => !open.has(response.req.socket)).length
  }

  #enter(phase: DrainPhase): void {
    if (phase === this.phase || this.phase === 'closed') return
    this.phase = phase
    this.#counts.enter(phase, performance.now())
    const { open, running } = this.#connections()
    this.#events.emit('phase', () => ({ phase, openConnections: open.size, running: running.size }))
    if (phase === 'draining') this.#beginDraining(this.#startedAt ?? 0)
    if (phase === 'closed') this.#close()
  }

  #beginDraining(startedAt: number): void {
    const view = () => ({ phase: this.phase, startedAt, now: performance.now() })
    this.#sayFarewell(startedAt)
    for (const connection of this.#connections().open.values()) this.#retire(connection)
    const shed = (): boolean => {
      const late = shouldShed(this.#plan, view())
      if (late) this.#counts.shed++
      return late
    }
    this.#undoShedding = shedRequests(this.#server, shed, this.#connections().begin)
  }

  #sayFarewell(startedAt: number): void {
    this.farewells.begin(() => farewellDelay(this.#plan, { startedAt, now: performance.now() }, Math.random()))
  }

  #retire(connection: Connection): void {
    if (connection.session === undefined) return
    this.#counts.cause(connection, 'announced')
    retireSession(connection)
  }

  /** Half-closes an idle connection, unless one poll phase shows that a request has come after all. */
  #endIdle(connection: Connection): void {
    this.#counts.cause(connection, 'idle')
    afterOnePoll(() => {
      if (isIdle(connection)) return endAndLinger(connection.socket)
      this.#counts.inUse(connection)
      this.look()
    })
  }

  #close(): void {
    clearTimeout(this.#timer)
    this.farewells.stop()
    this.#undoShedding()
    // At the deadline, or forced: nothing waits for a quiet moment any more.
    if (this.#server.listening) NetServer.prototype.close.call(this.#server)
    const { open } = this.#connections()
    const report = this.#counts.report(this.#plan.mode, performance.now(), open.values(), this.#orphans(), this.farewells.told)
    for (const { socket, session } of open.values()) {
      session?.destroy()
      socket.destroy()
    }
    // Of what Node's own close() does, its timer that looks for slow requests is left: it ends it.
    this.#server.close(() => {})
    this.#events.emit('drained', () => report)
    this.#finish(report)
  }
}

/** The plan with another deadline: a stretch for shedding that was made for a longer one would be all of a short one. */
function within(plan: DrainPlan, deadline: Duration): DrainPlan {
  return { ...plan, deadline, shedWithin: Math.min(plan.shedWithin, deadline / 10) as Duration }
}
