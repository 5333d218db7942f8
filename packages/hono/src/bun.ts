/** For Hono on Bun.serve: the chain's idle timeout, as far as Bun has one, and a drain by Bun's own stop. */
import { HopwiseError, type Policy, type PolicyOptions } from '@hopwise/core'
import { runtimeHop, settlePolicy, type RuntimeHop } from './runtime-hop.js'

export type { RuntimeDrainReport, RuntimeHop, RuntimeHopEvents, RuntimePhase } from './runtime-hop.js'

/** What is used of the server that `Bun.serve()` gives. */
export interface BunServer {
  stop(closeActiveConnections?: boolean): Promise<void>
}

/** The options of `Bun.serve()` that follow from a chain. */
export interface BunServerSettings {
  /** In seconds, at most 255. */
  readonly idleTimeout: number
}

/** The longest `idleTimeout` that Bun takes (bun.sh/reference/bun/Serve). */
const longestIdle = 255
/** Bun's clock for idle connections ticks every 4 s, and the first tick counts whole: it fires up to 4 s early (measured, 1.4.5). */
const early = 4

const attached = new WeakSet<BunServer>()

/**
 * The settings for a chain. Bun closes a connection on which nothing is sent or received for so long, also while a handler
 * runs.
 * @throws HopwiseError whatever `definePolicy` throws; `runtime-unsupported` where the chain asks for more than Bun has
 * @example Bun.serve({ ...serverSettings({ chain: ['alb'] }), fetch: app.fetch })
 */
export function serverSettings(policy?: PolicyOptions | Policy): BunServerSettings {
  const { server } = settlePolicy(policy)
  const idleTimeout = Math.ceil(server.keepAliveTimeout / 1_000) + early
  if (idleTimeout > longestIdle) {
    throw new HopwiseError('runtime-unsupported', `Bun keeps an idle connection for at most ${longestIdle - early} s, and the chain asks for ${idleTimeout - early} s: shorten what the hop in front reuses`)
  }
  return { idleTimeout }
}

/**
 * Binds a policy to a server of Bun, for its drain. To be called once a server.
 * @throws HopwiseError whatever `definePolicy` throws; `mounted-twice`
 */
export function attach(server: BunServer, policy?: PolicyOptions | Policy): RuntimeHop {
  if (attached.has(server)) throw new HopwiseError('mounted-twice', 'attach: a policy is attached to this server already')
  attached.add(server)
  return runtimeHop(settlePolicy(policy), { stop: () => server.stop(false), cut: () => server.stop(true) })
}
