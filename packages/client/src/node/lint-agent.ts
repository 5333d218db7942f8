import type { Agent, AgentOptions } from 'node:http'
import { durationField, formatDuration, parseOptions, valueField, type ChainInput, type Duration, type DurationInput, type Finding } from '@hopwise/core'
import { chainIdleLimit } from '../idle-limit.js'
import { isSafeAgent } from './safe-agent.js'

/** One thing that is wrong with an agent; as a finding of the chain's audit. */
export type AgentFinding = Omit<Finding, 'rule' | 'hops'> & { readonly rule: 'agent-never-expires' | 'agent-outlives-hop' }

/** What an agent is checked against. */
export interface LintAgentOptions {
  /** The hops from this client to the server, the nearest first. */
  readonly chain?: ChainInput
  /** How much earlier than the next hop a connection has to be closed. Range 0 to 60 s. ['3s'] */
  readonly margin?: DurationInput
}

/**
 * Finds what lets requests of an agent meet dead connections: idle ones that never end (`agent-never-expires`), or that are kept longer than
 * the next hop keeps them (`agent-outlives-hop`). An agent without keep-alive has neither.
 * @throws HopwiseError `option-unknown`, `option-invalid`, `chain-invalid`
 * @example for (const finding of lintAgent(agent, { chain: ['alb'] })) console.warn(finding.what, finding.fix)
 */
export function lintAgent(agent: Agent, options?: LintAgentOptions): AgentFinding[] {
  const { chain, margin } = parseOptions('lintAgent', options, {
    chain: valueField<ChainInput>('a list of hops, from the client to the server', Array.isArray),
    margin: durationField({ max: '60s', default: '3s' }),
  })
  const { keepAlive, timeout } = (agent as unknown as { options: AgentOptions }).options
  if (keepAlive !== true || isSafeAgent(agent)) return []
  if (timeout === undefined || timeout === 0) {
    return [{
      rule: 'agent-never-expires',
      severity: 'error',
      what: 'the agent keeps idle connections without an end',
      why: 'Without a timeout, Node closes no idle connection, whatever the Keep-Alive hint says: the other side closes first, and a request that meets it fails with ECONNRESET or "socket hang up".',
      fix: "Use safeAgent('https:', { chain }) instead of new Agent({ keepAlive: true }).",
    }]
  }
  const limit = chain === undefined ? undefined : chainIdleLimit(chain, margin)
  if (limit === undefined || timeout <= limit) return []
  return [{
    rule: 'agent-outlives-hop',
    severity: 'error',
    what: `the agent keeps idle connections for ${formatDuration(timeout as Duration)}, and may for ${formatDuration(Math.floor(limit) as Duration)}`,
    why: 'The next hop closes the connection at the moment in which a request may be sent on it.',
    fix: `Use safeAgent('https:', { chain }), or new Agent({ keepAlive: true, timeout: ${Math.floor(limit)} }).`,
  }]
}
