import { tellsOfConnections } from '../runtimes.js'
import { deadBound, keyedBound, mostDeadMs, mostSendsAnOutageCall, repairBound } from './bounds.js'
import type { DeadSocketsFigure, Figure, LossesFigure, OutageFigure } from './figures.js'

/**
 * Which demands a figure does not meet, in a sentence each. `bounds.ts` says what is demanded where.
 * @param timed whether milliseconds count: not in the short form, which tests run on whatever machine
 */
export function unmetOfFigure(figure: Figure, timed = true): string[] {
  const unmet = figure.figure === 'losses' ? ofLosses(figure, timed) : figure.figure === 'dead-sockets' ? ofDeadSockets(figure, timed) : ofOutage(figure)
  return Object.entries(unmet).filter(([, met]) => !met).map(([complaint]) => `${figure.client} on ${figure.runtime}: ${complaint}`)
}

/** A sentence for each demand, and whether it is met. */
type Demands = Readonly<Record<string, boolean>>

function ofLosses(figure: LossesFigure, timed: boolean): Demands {
  const { keyed_lost: lost, keyed_recovered: recovered, keyed_sent_twice: twice, keyed_sent_more: more, get_lost: gets, get_repair_p99_ms: repair } = figure
  const [keyed, bound] = [keyedBound(figure), repairBound(figure)]
  return {
    [`${figure.losses} calls were lost, ${figure.losses_wanted} were to be`]: figure.losses === figure.losses_wanted,
    [`${figure.post_doubled} of ${figure.post_lost} lost POSTs without a key were sent twice`]: figure.post_doubled === 0,
    [`${figure.plain_failed} calls failed that were not lost`]: figure.plain_failed === 0,
    [`of ${lost} lost POSTs with a key ${recovered} were recovered; ${keyed.least} to ${keyed.most} are right: ${keyed.why}`]: recovered >= keyed.least && recovered <= keyed.most,
    [`of ${recovered} recovered POSTs with a key ${twice} were sent twice, and ${more} more often`]: twice === recovered && more === 0,
    [`of ${gets} lost GETs ${figure.get_recovered} were recovered`]: figure.get_recovered === gets,
    [`the p99 of a repaired GET is ${repair} ms, of a plain one ${figure.plain_get_p99_ms} ms; ${bound.belowMs.toFixed(1)} ms are allowed: ${bound.why}`]: !timed || repair < bound.belowMs,
  }
}

function ofDeadSockets(figure: DeadSocketsFigure, timed: boolean): Demands {
  const { runtime, method, sockets, sends, outcome, ms, bare_sends: bare } = figure
  const what = `${method} with ${sockets} dead connections in the pool`
  const { sends: right, why } = deadBound(figure)
  return {
    [`${what}: ${outcome} after ${sends} sends and ${ms} ms; right is ${right}: ${why}`]: outcome === 'status 200' && sends === right && (!timed || ms < mostDeadMs),
    [`${what}: ${sends} sends, and ${bare} by the runtime's own fetch; Hopwise may add one`]: tellsOfConnections(runtime) || (bare !== undefined && sends <= bare + 1),
  }
}

function ofOutage({ outage, calls, sends, good }: OutageFigure): Demands {
  return {
    [`${outage}: ${sends} sends for ${calls} calls, ${mostSendsAnOutageCall} a call are allowed`]: sends >= calls && sends <= calls * mostSendsAnOutageCall,
    [`${outage}: ${good} calls came through, and none could`]: good === 0,
  }
}
