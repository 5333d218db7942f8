import type { Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'
import { definePolicy, describeFinding, Events, HopwiseError, type DrainPhase, type EventSource, type Policy, type PolicyOptions } from '@hopwise/core'
import { trackConnections } from './connections.js'
import { Drain } from './drain.js'
import type { DrainReport, HopEvents } from './events.js'
import { listenSignals, type SignalOptions } from './signals.js'

/** This server as a hop of the chain. */
export interface Hop extends EventSource<HopEvents> {
  readonly policy: Policy
  readonly phase: DrainPhase
  /** What a readiness check is to be answered with: false from the first moment of a drain. Liveness stays true. */
  readonly ready: boolean
  /**
   * Stops the server without losing a request, and resolves once the last connection is closed or the deadline has
   * cut it. Concurrent calls share one run. Never rejects.
   */
  drain(): Promise<DrainReport>
  /** Drains at SIGTERM and SIGINT, and then ends the process. Gives a function that stops listening. */
  listenSignals(options?: SignalOptions): () => void
}

const attached = new WeakSet<HttpServer | HttpsServer>()

/**
 * Binds a policy to a `node:http` or `node:https` server: the idle, header and request timeouts that its chain asks
 * for, and the drain. To be called once a server, before or right after `listen()`. What the audit found is told by
 * `process.emitWarning`, with the rule's id as code.
 * @throws HopwiseError whatever `definePolicy` throws; `mounted-twice`
 */
export function attach(server: HttpServer | HttpsServer, policy?: PolicyOptions | Policy): Hop {
  const settled = policy !== undefined && 'findings' in policy ? policy : definePolicy(policy)
  if (attached.has(server)) throw new HopwiseError('mounted-twice', 'attach: a policy is attached to this server already')
  attached.add(server)
  applySettings(server, settled)
  for (const finding of settled.findings) {
    if (finding.severity !== 'note') process.emitWarning(describeFinding(finding), { type: 'HopwiseWarning', code: finding.rule })
  }

  const events = new Events<HopEvents>()
  const drain = new Drain(server, settled.drain, events, () => connections)
  const connections = trackConnections(server, {
    request: (connection, request, response) => drain.watch(connection, request, response),
    connectionClosed: (connection) => drain.closed(connection),
    changed: () => drain.look(),
  })

  const hop: Hop = {
    policy: settled,
    get phase() {
      return drain.phase
    },
    get ready() {
      return drain.phase === 'ready'
    },
    on: events.on.bind(events),
    drain: () => drain.start(),
    listenSignals: (options) => listenSignals(() => drain.start(), options),
  }
  return hop
}

function applySettings(server: HttpServer | HttpsServer, { server: settings }: Policy): void {
  server.keepAliveTimeout = settings.keepAliveTimeout
  server.headersTimeout = settings.headersTimeout
  server.requestTimeout = settings.requestTimeout
  // Node 20 has it hard-wired to 1 s, and no property.
  if ('keepAliveTimeoutBuffer' in server) server.keepAliveTimeoutBuffer = settings.keepAliveTimeoutBuffer
}
