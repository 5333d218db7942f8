import type { Agent, AgentOptions } from 'node:http'
import { durationField, formatDuration, HopwiseError, parseOptions, valueField, type ChainInput, type Duration, type DurationInput, type Finding } from '@hopwise/core'
import { chainIdleLimit } from '../idle-limit.js'
import { safeAgentLimit } from './safe-agent.js'

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
  const { options: own, protocol } = (agent ?? {}) as { options?: AgentOptions; protocol?: string }
  if (own === undefined) throw new HopwiseError('option-invalid', 'lintAgent: expected an agent of node:http or node:https')
  if (own.keepAlive !== true) return []
  const safe = `safeAgent('${protocol ?? 'https:'}', { chain })`
  const ofSafeAgent = safeAgentLimit(agent)
  const timeout = ofSafeAgent ?? own.timeout
  if (timeout === undefined || (timeout === 0 && ofSafeAgent === undefined)) {
    return [{
      rule: 'agent-never-expires',
      severity: 'error',
      what: 'the agent keeps idle connections without an end',
      why: 'Without a timeout, Node closes no idle connection, whatever the Keep-Alive hint says: the other side closes first, and a request that meets it fails with ECONNRESET or "socket hang up".',
      fix: `Use ${safe} instead of new Agent({ keepAlive: true }).`,
    }]
  }
  const limit = chain === undefined ? undefined : chainIdleLimit(chain, margin)
  if (limit === undefined || timeout <= limit) return []
  return [{
    rule: 'agent-outlives-hop',
    severity: 'error',
    what: `the agent keeps idle connections for ${formatDuration(timeout as Duration)}, and may for ${formatDuration(Math.floor(limit) as Duration)}`,
    why: 'The next hop closes the connection at the moment in which a request may be sent on it.',
    fix: `Use ${safe}, or new Agent({ keepAlive: true, timeout: ${Math.floor(limit)} }).`,
  }]
}
