import { duration, type DurationInput } from '../duration.js'
import { planDrain, type DrainOptions, type DrainPlan } from '../drain/plan.js'
import { HopwiseError } from '../errors.js'
import { booleanField, durationField, parseOptions, valueField } from '../options.js'
import { audit, type Finding } from './audit.js'
import { defineChain, withoutServer, type Chain, type ChainInput } from './chain.js'
import { describeDeployment, type DeploymentKind, type DeploymentOptions } from './deployment.js'
import { derive, type ServerOverrides, type ServerSettings } from './derive.js'
import { nodeServer } from './presets.js'

/** The options of {@link definePolicy}. */
export interface PolicyOptions {
  /**
   * The hops from the client to this server, e.g. `['alb', 'nginx']`. This server itself need not be named; a last
   * `'node'` stands for it and is derived, a last `nodeServer({ downstream })` pins its idle time. [[]]
   */
  readonly chain?: ChainInput
  /** How much longer each hop must keep a connection than the one before reuses it. Range 0 to 60 s. ['3s'] */
  readonly margin?: DurationInput
  /** Settings of this server that are not to be derived. */
  readonly server?: ServerOverrides
  /** How this server stops. */
  readonly drain?: DrainOptions
  /** Throw where a hop breaks the rule, instead of a warning at start. [false] */
  readonly strict?: boolean
}

/** A chain of hops and all that follows from it. */
export interface Policy {
  /** The hops with this server, as derived, at the end. */
  readonly chain: Chain
  readonly server: ServerSettings
  readonly drain: DrainPlan
  /** What the audit found; warnings and errors are told at start by whoever binds the policy to a server. */
  readonly findings: readonly Finding[]
  /** What the orchestrator has to be told so that it gives the drain its time; see {@link describeDeployment}. */
  readonly deployment: (kind: DeploymentKind, options?: DeploymentOptions) => string
}

/**
 * Reads the chain, derives the server's settings and the drain plan from it, and audits the whole.
 * @throws HopwiseError `option-unknown`, `option-invalid`, `chain-invalid`; with `strict`, `chain-breaks-rule`
 */
export function definePolicy(options?: PolicyOptions): Policy {
  const given = parseOptions('policy', options, {
    chain: valueField<ChainInput>('a list of hops, from the client to the server', Array.isArray),
    margin: durationField({ max: '60s', default: '3s' }),
    server: valueField<ServerOverrides>('an object', (value) => typeof value === 'object'),
    drain: valueField<DrainOptions>('an object', (value) => typeof value === 'object'),
    strict: booleanField(false),
  })
  const hops = given.chain ?? []
  const declared = defineChain(hops.at(-1) === 'node' ? hops.slice(0, -1) : hops)
  const server = derive(declared, given.margin, given.server)
  const named = declared.at(-1)?.product === 'node' ? declared.at(-1) : undefined
  const self = { ...(named ?? nodeServer()), downstream: { idle: duration(server.keepAliveTimeout) } }
  const chain = [...withoutServer(declared), self]
  const findings = audit(chain, given.margin)
  const broken = findings.filter((finding) => finding.severity === 'error')
  if (given.strict && broken.length > 0) {
    throw new HopwiseError('chain-breaks-rule', broken.map(describeFinding).join('\n'))
  }
  const drain = planDrain(declared, given.drain, given.margin)
  return { chain, server, drain, findings, deployment: (kind, wanted) => describeDeployment(drain, server, kind, wanted) }
}

/** A finding in two sentences: what is wrong between which hops, and how to mend it. */
export function describeFinding(finding: Finding): string {
  return `${finding.rule} (${finding.hops.join(' → ')}): ${finding.what}. ${finding.why} Fix: ${finding.fix}`
}
