import { deadBound, keyedBound, mostDeadMs, mostDeadSends, mostRepairMs, mostSendsAnOutageCall, repairBound } from './bounds.js'
import type { Figure } from './figures.js'

/** A figure beside what is wanted everywhere: a demand is less than that where the runtime or the machine allows no more. */
export interface AgainstTarget {
  readonly target: string
  readonly target_met: boolean
  /** What the figure is held to. */
  readonly held_to: string
}

/**
 * Says whether a figure is what is wanted, whatever is demanded of it.
 * @param timed as of `unmetOfFigure`
 */
export function againstTarget(figure: Figure, timed: boolean): AgainstTarget {
  switch (figure.figure) {
    case 'losses': {
      const [keyed, repair] = [keyedBound(figure), repairBound(figure)]
      return {
        target: `no POST sent twice; every keyed POST and GET recovered, a POST by two sends; p99 of a repaired GET below ${mostRepairMs} ms`,
        target_met: figure.post_doubled === 0 && figure.keyed_recovered === figure.keyed_lost && figure.keyed_sent_twice === figure.keyed_lost && figure.keyed_sent_more === 0
          && figure.get_recovered === figure.get_lost && figure.get_repair_p99_ms < mostRepairMs,
        held_to: `keyed recovered: ${keyed.least} to ${keyed.most}, ${keyed.why}; p99: ${timed ? `below ${repair.belowMs.toFixed(1)} ms, ${repair.why}` : 'not in the short form'}`,
      }
    }
    case 'dead-sockets': {
      const { sends, why } = deadBound(figure)
      return {
        target: `at most ${mostDeadSends} sends, below ${mostDeadMs} ms`,
        target_met: figure.outcome === 'status 200' && figure.sends <= mostDeadSends && figure.ms < mostDeadMs,
        held_to: `${sends} sends: ${why}${timed ? `; below ${mostDeadMs} ms` : ''}`,
      }
    }
    case 'outage':
      return { target: `at most ${mostSendsAnOutageCall} sends a call`, target_met: figure.sends <= figure.calls * mostSendsAnOutageCall, held_to: 'the same' }
  }
}
