import type { DrainPlan } from '../drain/plan.js'
import { HopwiseError } from '../errors.js'
import { parseOptions } from '../options.js'
import { show } from '../show.js'
import { kubernetesFields, kubernetesFragment, type ProbeOptions } from './deployment-kubernetes.js'
import { pm2Fragment } from './deployment-pm2.js'
import { systemdFragment } from './deployment-systemd.js'
import { stopFields, type StopOptions } from './deployment-times.js'
import type { ServerSettings } from './derive.js'

const kinds = ['kubernetes', 'systemd', 'pm2'] as const

/** What starts and stops the server, and kills it when it takes too long. */
export type DeploymentKind = (typeof kinds)[number]

/** The options of {@link describeDeployment}. Those of {@link ProbeOptions} are only for `'kubernetes'`. */
export interface DeploymentOptions extends StopOptions, ProbeOptions {}

/**
 * The part of an orchestrator's configuration that has to fit the drain, with its arithmetic in comments: YAML of a
 * Pod's spec, the `[Service]` section of a unit, or an ecosystem file of PM2. Names in it (`app`, `server.js`) are to
 * be replaced. It is arithmetic over the plan; nobody looks at what is deployed.
 * @throws HopwiseError `option-unknown`, `option-invalid`; also where `longestRequest` does not fit into the deadline,
 * with the deadline that it would take
 * @example describeDeployment(policy.drain, policy.server, 'kubernetes', { longestRequest: '10s', port: 8080 })
 */
export function describeDeployment(plan: DrainPlan, server: ServerSettings, kind: DeploymentKind, options?: DeploymentOptions): string {
  if (!kinds.includes(kind)) {
    throw new HopwiseError('option-invalid', `deployment: the kind is ${show(kind)}; allowed: ${kinds.join(', ')}`)
  }
  const owner = `deployment of ${kind}`
  if (kind === 'kubernetes') return kubernetesFragment(plan, server, parseOptions(owner, options, { ...stopFields, ...kubernetesFields }))
  const stop = parseOptions(owner, options, stopFields)
  return kind === 'systemd' ? systemdFragment(plan, server, stop) : pm2Fragment(plan, server, stop)
}
