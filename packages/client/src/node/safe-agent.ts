import { Agent as HttpAgent, type AgentOptions as HttpAgentOptions, type ClientRequest, type IncomingMessage } from 'node:http'
import { Agent as HttpsAgent, type AgentOptions as HttpsAgentOptions } from 'node:https'
import type { Duplex } from 'node:stream'
import { durationField, HopwiseError, parseOptions, valueField, type ChainInput, type DurationInput } from '@hopwise/core'
import { chainIdleLimit } from '../idle-limit.js'
import { agentIdleLimit } from './agent-idle.js'

/** How long {@link safeAgent} keeps idle connections. */
export interface SafeAgentOptions {
  /** The hops from this client to the server, the nearest first. Without it the server's hint decides, and 4 s where there is none. */
  readonly chain?: ChainInput
  /** How much earlier than the next hop a connection is closed. Range 0 to 60 s. ['1s' below a hint, '3s' below the chain] */
  readonly margin?: DurationInput
  /** What else Node's agent takes: `maxSockets`, `ca` and so on. `keepAlive` is true, and `timeout` is left to requests. */
  readonly agent?: Omit<HttpsAgentOptions, 'keepAlive' | 'timeout'>
}

/**
 * An agent for `http.request`, axios and got whose idle connections end before the server's. `new http.Agent({ keepAlive: true })` keeps
 * them without an end, whatever the server's `Keep-Alive: timeout=` says (Node 20 to 26: lib/_http_agent.js limits nothing where the agent has
 * no `timeout` of its own; it only keeps no connection at all where the hint is 1 s or less).
 * @param protocol `'http:'` or `'https:'`
 * @throws HopwiseError `option-unknown`, `option-invalid`, `chain-invalid`
 * @example axios.create({ httpsAgent: safeAgent('https:', { chain: ['alb'] }) })
 */
export function safeAgent(protocol: 'http:', options?: SafeAgentOptions): HttpAgent
export function safeAgent(protocol: 'https:', options?: SafeAgentOptions): HttpsAgent
export function safeAgent(protocol: 'http:' | 'https:', options?: SafeAgentOptions): HttpAgent {
  if (!['http:', 'https:'].includes(protocol)) throw new HopwiseError('option-invalid', `safeAgent: the protocol is ${JSON.stringify(protocol)}; allowed: "http:" or "https:"`)
  const given = parseOptions('safeAgent', options, {
    chain: valueField<ChainInput>('a list of hops, from the client to the server', Array.isArray),
    margin: durationField({ max: '60s' }),
    agent: valueField<HttpAgentOptions & HttpsAgentOptions>("an object: options of Node's agent", (value) => typeof value === 'object' && value !== null),
  })
  const contrary = contraryTo(given.agent)
  if (contrary !== undefined) throw new HopwiseError('option-invalid', `safeAgent: option "agent" has ${JSON.stringify(contrary)}, which safeAgent decides`)
  const fromChain = given.chain === undefined ? undefined : chainIdleLimit(given.chain, given.margin ?? 3_000)
  const agent = protocol === 'https:' ? new HttpsAgent({ ...given.agent, keepAlive: true }) : new HttpAgent({ ...given.agent, keepAlive: true })
  return limitIdle(agent, (keepAlive) => agentIdleLimit(keepAlive, fromChain, given.margin ?? 1_000))
}

/** The option that would be ignored, if there is one. */
function contraryTo({ keepAlive, timeout }: HttpAgentOptions = {}): 'keepAlive' | 'timeout' | undefined {
  if (keepAlive === false) return 'keepAlive'
  return timeout === undefined ? undefined : 'timeout'
}

/** The two methods that Node lets an agent replace ("Class: http.Agent"), and that its types leave out. */
interface ExtensibleAgent {
  keepSocketAlive(socket: Duplex): unknown
  reuseSocket(socket: Duplex, request: ClientRequest): void
}

/** How long each agent whose idle connections are limited keeps one, where the server says nothing. */
const limited = new WeakMap<HttpAgent, number>()

/** How long an agent of {@link safeAgent} keeps an idle connection where the server says nothing, in milliseconds; `undefined` of another agent. */
export function safeAgentLimit(agent: HttpAgent): number | undefined {
  return limited.get(agent)
}

function limitIdle(given: HttpAgent, limitOf: (keepAlive: string | undefined) => number): HttpAgent {
  const agent = given as unknown as ExtensibleAgent
  const keepSocketAlive = agent.keepSocketAlive.bind(agent)
  const reuseSocket = agent.reuseSocket.bind(agent)
  agent.keepSocketAlive = (socket) => {
    const limit = limitOf(lastKeepAlive(socket))
    if (limit === 0 || keepSocketAlive(socket) === false) return false
    // The agent closes a free socket whose timeout is over.
    setSocketTimeout(socket, limit)
    return true
  }
  agent.reuseSocket = (socket, request) => {
    // It is idle no longer: what a request may take is the request's own affair.
    setSocketTimeout(socket, 0)
    reuseSocket(socket, request)
  }
  limited.set(given, limitOf(undefined))
  return given
}

function setSocketTimeout(socket: Duplex, ms: number): void {
  if ('setTimeout' in socket && typeof socket.setTimeout === 'function') socket.setTimeout(ms)
}

/** The `Keep-Alive` of the response that has just ended on a socket; Node's own agent reads it in the same place. */
function lastKeepAlive(socket: Duplex): string | undefined {
  const { res } = (socket as { _httpMessage?: { res?: IncomingMessage } })._httpMessage ?? {}
  const value = res?.headers['keep-alive']
  return Array.isArray(value) ? value.join(', ') : value
}
