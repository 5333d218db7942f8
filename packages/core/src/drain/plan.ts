import type { Duration, DurationInput } from '../duration.js'
import { HopwiseError } from '../errors.js'
import { durationField, parseOptions, wordField } from '../options.js'
import { withoutServer, type Chain } from '../policy/chain.js'

/**
 * `'refuse-first'` stops accepting at once: right where the hop in front turns to another server when a connection
 * is refused. `'announce-first'` says that it is not ready, goes on serving, and stops accepting later: right where a
 * health check or a deregistration takes this server out of rotation.
 */
export type DrainMode = 'refuse-first' | 'announce-first'

/** The options of a drain, all of them derived from the chain where not given. */
export interface DrainOptions {
  /** [from the hop in front: nginx → 'refuse-first', ALB and HAProxy → 'announce-first', nobody → 'refuse-first'] */
  readonly mode?: DrainMode
  /** How long `announce-first` goes on accepting before it looks for a quiet moment. Range 0 to 10 min. ['5s'] */
  readonly announceFor?: DurationInput
  /** The time without a new connection that `announce-first` waits for before the listener closes. Range 0 to 60 s. ['500ms'] */
  readonly quietWindow?: DurationInput
  /** How long an idle connection has for one more request, from its last one or from the start of the drain. Range 0 to 10 min. ['1s'] */
  readonly idleGrace?: DurationInput
  /** How long the whole drain may take; what is left then is cut. Range 100 ms to 1 h. ['25s', below Kubernetes' 30 s] */
  readonly deadline?: DurationInput
}

/** How a server stops, in milliseconds from the start of the drain. */
export interface DrainPlan {
  readonly mode: DrainMode
  readonly announceFor: Duration
  readonly quietWindow: Duration
  readonly idleGrace: Duration
  readonly deadline: Duration
}

/**
 * The drain plan for a chain, with the user's own values over it.
 * @throws HopwiseError `option-unknown`, `option-invalid`; also where `announceFor` leaves nothing of the deadline
 */
export function planDrain(chain: Chain, options?: DrainOptions): DrainPlan {
  const given = parseOptions('drain', options, {
    mode: wordField(['refuse-first', 'announce-first']),
    announceFor: durationField({ max: '10m', default: '5s' }),
    quietWindow: durationField({ max: '60s', default: '500ms' }),
    idleGrace: durationField({ max: '10m', default: '1s' }),
    deadline: durationField({ min: 100, max: '1h', default: '25s' }),
  })
  const plan = { ...given, mode: given.mode ?? modeFor(chain) }
  if (plan.mode === 'announce-first' && plan.announceFor + plan.quietWindow >= plan.deadline) {
    throw new HopwiseError('option-invalid', 'drain: option "deadline" must be longer than announceFor and quietWindow together')
  }
  return plan
}

/** Whoever picks this server has to be told: the HTTP hop in front, or a TCP hop behind it that balances its connections. */
function modeFor(chain: Chain): DrainMode {
  const hops = withoutServer(chain)
  const choosing = hops.slice(Math.max(0, hops.findLastIndex((hop) => hop.layer === 'http')))
  const announced = choosing.some(({ failover }) => failover === 'health-check' || failover === 'deregistration')
  return announced ? 'announce-first' : 'refuse-first'
}
