import { definePolicy, describeFinding, Events, HopwiseError, jitteredAge, type DrainPhase, type EventSource, type HealthOptions, type Policy, type PolicyOptions, type ServerSettings } from '@hopwise/core'
import { ArrivalClock } from './arrival-clock.js'
import { giveBack, lingerAtEnd } from './closing.js'
import { ConnectionLimit } from './connection-limit.js'
import { trackConnections, type Connections } from './connections.js'
import { Drain, type DrainRunOptions } from './drain.js'
import type { DrainReport, HopEvents } from './events.js'
import { Farewells, type LongRequest } from './farewell.js'
import { healthHandler, type HealthHandler } from './health.js'
import { listenHopSignals, type HopSignalOptions } from './hop-signals.js'
import { guardIdle } from './idle-guard.js'
import { KeepOrClose } from './keep-or-close.js'
import type { AnyServer } from './server.js'

/** This server as a hop of the chain. */
export interface Hop extends EventSource<HopEvents> {
  readonly policy: Policy
  readonly phase: DrainPhase
  /** What a readiness check is to be answered with: false from the first moment of a drain. Liveness stays true. */
  readonly ready: boolean
  /**
   * Stops the server without losing a request, and resolves once the last connection is closed or the deadline has
   * cut it. Concurrent calls share one run; a later one can only bring its end nearer. Never rejects.
   * @throws HopwiseError `option-unknown`, `option-invalid`
   */
  drain(options?: DrainRunOptions): Promise<DrainReport>
  /**
   * For an exchange without an end of its own (event stream, long poll, WebSocket): aborted when it is to end, some time
   * in the drain's `streamSpread` after the listener has closed. `request` is what the handler or the `upgrade` listener
   * was given. Never aborted where the exchange is over before.
   */
  drainSignal(request: LongRequest): AbortSignal
  /**
   * A middleware that answers readiness and liveness checks, `/readyz` and `/livez`; see {@link healthHandler}.
   * @throws HopwiseError `option-unknown`, `option-invalid`
   */
  health(options?: HealthOptions): HealthHandler
  /**
   * Drains at SIGTERM and SIGINT, and then ends the process. Gives a function that stops listening.
   * @throws HopwiseError `option-unknown`, `option-invalid`
   */
  listenSignals(options?: HopSignalOptions): () => void
}

const attached = new WeakSet<AnyServer>()

/**
 * Binds a policy to a server of `node:http`, `node:https` or `node:http2`: how long it keeps connections and waits for
 * requests, as its chain asks, and the drain. To be called once a server, before or right after `listen()`. What the
 * audit found is told by `process.emitWarning`, with the rule's id as code.
 * @throws HopwiseError whatever `definePolicy` throws; `option-invalid` where it is no server; `mounted-twice`
 */
export function attach(server: AnyServer, policy?: PolicyOptions | Policy): Hop {
  const settled = policy !== undefined && 'findings' in policy ? policy : definePolicy(policy)
  // An app of Express or Koa has a listen(), and it would only be found out at the first SIGTERM that it has no close().
  if (!isServer(server)) throw new HopwiseError('option-invalid', 'attach: expected a server of node:http, node:https or node:http2, such as what app.listen() gives')
  if (attached.has(server)) throw new HopwiseError('mounted-twice', 'attach: a policy is attached to this server already')
  attached.add(server)
  for (const finding of settled.findings) {
    if (finding.severity !== 'note') process.emitWarning(describeFinding(finding), { type: 'HopwiseWarning', code: finding.rule })
  }
  const events = new Events<HopEvents>()
  const drain = bind(server, settled, events)
  const hop: Hop = {
    policy: settled,
    get phase() {
      return drain.phase
    },
    get ready() {
      return drain.phase === 'ready'
    },
    on: events.on.bind(events),
    drain: (options) => drain.start(options),
    drainSignal: (request) => drain.farewells.signalOf(request),
    health: (options) => healthHandler(hop, options),
    listenSignals: (options) => listenHopSignals(hop, options),
  }
  return hop
}

function isServer(server: unknown): boolean {
  const methods = server as Readonly<Record<string, unknown>> | null | undefined
  return ['listen', 'close', 'on', 'address'].every((name) => typeof methods?.[name] === 'function')
}

/** Puts the parts together: what is told of a connection goes to each of them, in this order. */
function bind(server: AnyServer, { server: settings, drain: plan }: Policy, events: Events<HopEvents>): Drain {
  const idleMs = applySettings(server, settings)
  const connections = (): Connections => tracked
  const farewells = new Farewells(events, connections)
  const drain = new Drain(server, plan, events, connections, farewells)
  const fate = new KeepOrClose(settings, () => drain.phase, (connection) => drain.announced(connection))
  const idle = guardIdle(server, idleMs, connections)
  const arrival = new ArrivalClock(settings, connections, events)
  const limit = new ConnectionLimit(settings.maxConnections, events)
  const http2 = !('maxHeadersCount' in server)

  const tracked = trackConnections(server, () => jitteredAge(settings.maxConnectionAge, Math.random()), {
    accepted: (connection, secure) => {
      if (limit.admits(connection.socket, !secure && !http2)) drain.opened()
    },
    opened: (connection) => {
      if (!http2) lingerAtEnd(connection.socket)
      idle.opened(connection)
      arrival.start()
    },
    request: (connection, request, response) => {
      // HTTP/1 over TLS on an HTTP/2 server: nobody knew before.
      if (http2 && connection.requests === 1) lingerAtEnd(connection.socket)
      idle.request(connection)
      drain.request()
      fate.request(connection, request, response)
    },
    session: (connection) => drain.session(connection),
    stream: (connection) => {
      drain.request()
      fate.stream(connection)
    },
    upgraded: (connection, request) => {
      giveBack(connection.socket)
      connection.socket.setTimeout(0)
      farewells.upgraded(request)
    },
    closed: (connection) => drain.closed(connection),
    changed: () => drain.changed(),
  })
  return drain
}

/** Sets Node's own figures. Gives for how long Node really keeps an idle connection, in milliseconds. */
function applySettings(server: AnyServer, settings: ServerSettings): number {
  const http1 = server as { keepAliveTimeout: number; headersTimeout: number; requestTimeout: number; keepAliveTimeoutBuffer?: number }
  http1.keepAliveTimeout = settings.keepAliveTimeout
  // The arrival clock does what these do, but from the first byte on.
  http1.headersTimeout = 0
  http1.requestTimeout = 0
  // Node 20 has it hard-wired to 1 s, and no property.
  const hasBuffer = 'keepAliveTimeoutBuffer' in http1
  if (hasBuffer) http1.keepAliveTimeoutBuffer = settings.keepAliveTimeoutBuffer
  return settings.keepAliveTimeout + (hasBuffer ? settings.keepAliveTimeoutBuffer : 1_000)
}
