import { definePolicy, describeFinding, Events, type Duration, type EventSource, type Policy, type PolicyOptions } from '@hopwise/core'

/** What a runtime's own server can be told. */
export interface RuntimeServer {
  /** Accepts no more, lets what is running end, and resolves when it has. */
  readonly stop: () => Promise<unknown>
  /** Cuts what is left. Absent where the runtime cannot: the end of the process does it then. */
  readonly cut?: () => Promise<unknown>
}

/** What a drain tells. */
export interface RuntimeHopEvents {
  readonly phase: { readonly phase: RuntimePhase }
}

/** `announcing` accepts and is not ready; `draining` accepts no more. */
export type RuntimePhase = 'ready' | 'announcing' | 'draining' | 'closed'

/** What came of a drain. */
export interface RuntimeDrainReport {
  /** Whether the deadline came before all had ended. How much was left, these runtimes do not tell. */
  readonly forced: boolean
  readonly took: Duration
}

/** A server of Bun or Deno as a hop of the chain: as much of a `Hop` of @hopwise/node as the runtime lets one. */
export interface RuntimeHop extends EventSource<RuntimeHopEvents> {
  readonly policy: Policy
  readonly phase: RuntimePhase
  /** What a readiness check is to be answered with: false from the first moment of a drain. */
  readonly ready: boolean
  /** Whether answers are to say `Connection: close`: from the first moment of a drain. `policy()` says it. */
  readonly closing: boolean
  /** Stops the server. A further call gives the first one's result. Never rejects. */
  drain(): Promise<RuntimeDrainReport>
}

/** The policy, made where it is not yet. What the audit found is told by `console.warn`. */
export function settlePolicy(policy?: PolicyOptions | Policy): Policy {
  const settled = policy !== undefined && 'findings' in policy ? policy : definePolicy(policy)
  for (const finding of settled.findings) if (finding.severity !== 'note') console.warn(`hopwise: ${describeFinding(finding)}`)
  return settled
}

/** Makes the hop of a server: the plan's announcement, the runtime's own graceful stop, the plan's deadline. */
export function runtimeHop(policy: Policy, server: RuntimeServer): RuntimeHop {
  const events = new Events<RuntimeHopEvents>()
  let phase: RuntimePhase = 'ready'
  let running: Promise<RuntimeDrainReport> | undefined
  const enter = (next: RuntimePhase): void => {
    phase = next
    events.emit('phase', () => ({ phase: next }))
  }

  const drain = async (): Promise<RuntimeDrainReport> => {
    const startedAt = performance.now()
    const { mode, announceFor, quietWindow, deadline } = policy.drain
    const elapsed = () => performance.now() - startedAt
    enter('announcing')
    if (mode === 'announce-first') await within(announceFor + quietWindow, new Promise(() => {}))
    enter('draining')
    const ended = await within(deadline - elapsed(), server.stop())
    // Bun's promise of the cut may stay open with a handler that goes on.
    if (!ended && server.cut !== undefined) await within(1_000, server.cut())
    enter('closed')
    return { forced: !ended, took: Math.round(elapsed()) as Duration }
  }

  return {
    policy,
    get phase() {
      return phase
    },
    get ready() {
      return phase === 'ready'
    },
    get closing() {
      return phase !== 'ready'
    },
    on: events.on.bind(events),
    drain: () => (running ??= drain()),
  }
}

/** Whether the work was over within so many milliseconds; also where it failed. */
function within(milliseconds: number, work: Promise<unknown>): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), milliseconds)
    const over = (): void => {
      clearTimeout(timer)
      resolve(true)
    }
    work.then(over, over)
  })
}
