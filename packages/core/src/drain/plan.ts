import { duration, type Duration, type DurationInput } from '../duration.js'
import { HopwiseError } from '../errors.js'
import { durationField, parseOptions, wordField } from '../options.js'
import { frontHop, withoutServer, type Chain } from '../policy/chain.js'

/**
 * `'refuse-first'` stops accepting at the first quiet moment: right where the hop in front turns to another server when
 * a connection is refused. `'announce-first'` says that it is not ready, goes on serving, and stops accepting later:
 * right where a health check or a deregistration takes this server out of rotation.
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
  /**
   * How long after its last activity an idle connection is kept for one more request, and at least for the first
   * second of the drain (for the first `idleGrace`, where that is shorter). Range 0 to 24 h. [behind a hop that only a
   * refused connection tells: until it has let go of the connection, its idle time and the margin, e.g. '63s' behind
   * nginx; else '1s'] Connections that would outlast the deadline are closed before it, the longest idle first.
   */
  readonly idleGrace?: DurationInput
  /** How long the whole drain may take; what is left then is cut. Range 100 ms to 1 h. ['25s', below Kubernetes' 30 s] */
  readonly deadline?: DurationInput
  /** Over how long the signals to streams and upgraded sockets are spread, so that not all reconnect at once. Range 0 to 10 min. ['2s'] */
  readonly streamSpread?: DurationInput
  /** How long before the deadline new requests are answered 503 instead of being cut. Range 0 to 60 s. ['1s', at most a tenth of the deadline] */
  readonly shedWithin?: DurationInput
}

/** How a server stops, in milliseconds from the start of the drain. */
export interface DrainPlan {
  readonly mode: DrainMode
  readonly announceFor: Duration
  readonly quietWindow: Duration
  readonly idleGrace: Duration
  readonly deadline: Duration
  readonly streamSpread: Duration
  readonly shedWithin: Duration
}

/** An idle connection of a hop that never lets go, or of unknown habits, may be wanted at any time up to the deadline. */
const untilDeadline = duration('24h')

/**
 * The drain plan for a chain, with the user's own values over it.
 * @throws HopwiseError `option-unknown`, `option-invalid`; also where `announceFor` leaves nothing of the deadline
 */
export function planDrain(chain: Chain, options?: DrainOptions, margin: Duration = duration('3s')): DrainPlan {
  const given = parseOptions('drain', options, {
    mode: wordField(['refuse-first', 'announce-first']),
    announceFor: durationField({ max: '10m', default: '5s' }),
    quietWindow: durationField({ max: '60s', default: '500ms' }),
    idleGrace: durationField({ max: '24h' }),
    deadline: durationField({ min: '100ms', max: '1h', default: '25s' }),
    streamSpread: durationField({ max: '10m', default: '2s' }),
    shedWithin: durationField({ max: '60s' }),
  })
  const plan = {
    ...given,
    mode: given.mode ?? modeFor(chain),
    idleGrace: given.idleGrace ?? graceFor(chain, margin),
    shedWithin: given.shedWithin ?? (Math.min(1_000, Math.floor(given.deadline / 10)) as Duration),
  }
  if (plan.mode === 'announce-first' && plan.announceFor + plan.quietWindow >= plan.deadline) {
    throw new HopwiseError('option-invalid', 'drain: option "deadline" must be longer than announceFor and quietWindow together')
  }
  return plan
}

/** Whoever picks this server has to be told: the HTTP hop in front, or a TCP hop behind it that balances its connections. */
function modeFor(chain: Chain): DrainMode {
  const hops = withoutServer(chain)
  const choosing = hops.slice(Math.max(0, hops.findLastIndex((hop) => hop.layer === 'http')))
  return choosing.some(({ failover }) => told(failover)) ? 'announce-first' : 'refuse-first'
}

/** A hop that was told has turned away before the listener goes; one that was not may take any connection that it still has. */
function graceFor(chain: Chain, margin: Duration): Duration {
  const front = frontHop(chain)
  const idle = front?.upstream.idle
  if (front === undefined || idle === 'none' || told(front.failover)) return duration('1s')
  return typeof idle === 'number' ? ((idle + margin) as Duration) : untilDeadline
}

function told(failover: string): boolean {
  return failover === 'health-check' || failover === 'deregistration'
}
