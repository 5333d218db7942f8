/** For Hono on Deno.serve: a drain by Deno's own shutdown. */
import { HopwiseError, type Policy, type PolicyOptions } from '@hopwise/core'
import { runtimeHop, settlePolicy, type RuntimeHop } from './runtime-hop.js'

export type { RuntimeDrainReport, RuntimeHop, RuntimeHopEvents, RuntimePhase } from './runtime-hop.js'

/** What is used of the server that `Deno.serve()` gives. */
export interface DenoServer {
  shutdown(): Promise<void>
}

const attached = new WeakSet<DenoServer>()

/**
 * Binds a policy to a server of Deno, for its drain. To be called once a server. What the deadline leaves goes on until the
 * process ends: Deno cannot abort a server that is shutting down (2.9.6 throws `BadResource`).
 * @throws HopwiseError whatever `definePolicy` throws; `mounted-twice`
 * @example const hop = attach(Deno.serve(app.fetch), { chain: ['nginx'] })
 */
export function attach(server: DenoServer, policy?: PolicyOptions | Policy): RuntimeHop {
  if (attached.has(server)) throw new HopwiseError('mounted-twice', 'attach: a policy is attached to this server already')
  attached.add(server)
  return runtimeHop(settlePolicy(policy), { stop: () => server.shutdown() })
}
