import type { DrainPlan } from '../drain/plan.js'
import { wholeSeconds, type Duration, type DurationInput } from '../duration.js'
import { durationField, valueField, type Parsed } from '../options.js'
import { comment, inSeconds, requestTime, stopTime, type StopTimes } from './deployment-times.js'
import type { ServerSettings } from './derive.js'

/** What only Kubernetes asks for. */
export interface ProbeOptions {
  /** How long it takes until everybody knows that the Pod is no endpoint any more. Range 0 to 5 min. ['5s'] */
  readonly propagation?: DurationInput
  /** Where the probes ask: the name of one of the container's ports, or a number from 1 to 65535. ['http'] */
  readonly port?: string | number
  /** The path that answers 503 from the first moment of a drain. ['/readyz'] */
  readonly readinessPath?: string
  /** The path that answers 200 during a drain, too. ['/livez'] */
  readonly livenessPath?: string
}

const pathField = (preset: string) => ({
  ...valueField<string>('a path, from / on, of visible ASCII', (value) => typeof value === 'string' && /^\/[!-~]*$/.test(value)),
  default: preset,
})

/** How {@link ProbeOptions} are read. */
export const kubernetesFields = {
  propagation: durationField({ max: '5m', default: '5s' }),
  port: { ...valueField<string | number>('a port name (1 to 15 of a-z, 0-9 and -), or a number from 1 to 65535', isPort), default: 'http' },
  readinessPath: pathField('/readyz'),
  livenessPath: pathField('/livez'),
}

/**
 * The fields of a Pod's spec. What they follow from (read on 2026-11-24):
 * - `terminationGracePeriodSeconds` counts the preStop hook, and SIGTERM and the removal of the endpoint race:
 *   https://kubernetes.io/docs/concepts/workloads/pods/pod-lifecycle/#pod-termination-flow
 * - the sleep action is on by default from 1.30 and GA in 1.34; it takes whole seconds, and 0 only from 1.33:
 *   https://www.kubernetes.dev/resources/keps/3960/ and /4818/
 * - kubelets probed a terminating Pod and killed it for its liveness (kubernetes/kubernetes#52817, ended by #98571);
 *   for its readiness they do so to this day (#110191).
 * @throws HopwiseError `option-invalid`, as {@link requestTime}
 */
export function kubernetesFragment(plan: DrainPlan, server: ServerSettings, given: Parsed<typeof kubernetesFields> & StopTimes): string {
  const announced = plan.mode === 'announce-first'
  const missing = given.propagation - (announced ? plan.announceFor : 0)
  const preStop = wholeSeconds(Math.max(0, missing) as Duration)
  const grace = stopTime(plan, given.hooks, preStop * 1_000)
  // The kubelet connects anew for each probe: with one in every quiet window, there would be none.
  const period = announced ? Math.max(2, Math.floor(plan.quietWindow / 1_000) + 1) : 2
  const announcing = announced ? `${inSeconds(plan.announceFor)} of announcing` : ''
  const why = preStop > 0
    ? [
        'SIGTERM races the removal of the endpoint: the server has to accept until all have heard of that,',
        `${inSeconds(given.propagation)} propagation${announced ? ` - ${announcing}` : ''}${preStop * 1_000 === missing ? '' : ', rounded up'}. Before Kubernetes 1.30 (GA in 1.34, KEP-3960),`,
        `where the image has a sleep: exec: { command: [sleep, "${preStop}"] }`,
      ]
    : [`No preStop: ${announced ? `${announcing} last for the ` : ''}${inSeconds(given.propagation)} propagation of the endpoint's removal.`]
  const probe = (path: string, periodSeconds: number, failureThreshold: number) => `
      httpGet:
        path: ${JSON.stringify(path)}
        port: ${JSON.stringify(given.port)}
      periodSeconds: ${periodSeconds}
      failureThreshold: ${failureThreshold}
`
  return `# Part of a Pod's spec, for a drain that goes ${plan.mode}
${comment(requestTime(plan, server, given.longestRequest), '#')}# ${grace.sum}
terminationGracePeriodSeconds: ${grace.seconds}
containers:
  - name: app
${comment(why, '    #')}${preStop > 0 ? `    lifecycle:\n      preStop:\n        sleep:\n          seconds: ${preStop}\n` : ''}    # 503 from the first moment of a drain. A deleted Pod is out of its Services without that.
    readinessProbe:${probe(given.readinessPath, period, 2)}    # 200 during a drain, too: it is no reason to kill (kubernetes/kubernetes#52817).
    livenessProbe:${probe(given.livenessPath, 10, 3)}`
}

/** A name as IANA has it for services (RFC 6335 5.1), or a number. */
function isPort(value: unknown): boolean {
  if (typeof value === 'number') return Number.isInteger(value) && value >= 1 && value <= 65_535
  return typeof value === 'string' && /^(?=.{1,15}$)(?=.*[a-z])[a-z0-9]+(-[a-z0-9]+)*$/.test(value)
}
