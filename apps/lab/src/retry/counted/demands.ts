import { tellsOfConnections, type RuntimeName } from '../runtimes.js'
import type { DeadSocketsFigure, Figure, LossesFigure, OutageFigure } from './figures.js'

const mostRepairMs = 25
/** From here on the machine is too busy for a limit in milliseconds alone: a repair may take so many times what a plain GET takes, besides. */
const busyPlainMs = 5
const repairToPlain = 5
const mostDeadSocketsMs = 250
const mostSendsAnOutageCall = 1.05

/**
 * Which demands a figure does not meet, in a sentence each. Where the runtime does not tell what became of a connection, every loss that it
 * does not repair by itself is one for the policy and its budget: of a POST with a key on Bun, how many are recovered is a figure, and no demand.
 * @param timed whether milliseconds count: not in the short form, which tests run on whatever machine
 */
export function unmetOfFigure(figure: Figure, wantedLosses: number, timed = true): string[] {
  const unmet = figure.figure === 'losses' ? ofLosses(figure, wantedLosses, timed) : figure.figure === 'dead-sockets' ? ofDeadSockets(figure, timed) : ofOutage(figure)
  return Object.entries(unmet).filter(([, met]) => !met).map(([complaint]) => `${figure.client} on ${figure.runtime}: ${complaint}`)
}

/** A sentence for each demand, and whether it is met. */
type Demands = Readonly<Record<string, boolean>>

function ofLosses(figure: LossesFigure, wanted: number, timed: boolean): Demands {
  const always = {
    [`${figure.losses} calls were lost, ${wanted} were to be`]: figure.losses === wanted,
    [`${figure.post_doubled} of ${figure.post_lost} lost POSTs without a key were sent twice`]: figure.post_doubled === 0,
    [`${figure.plain_failed} calls failed that were not lost`]: figure.plain_failed === 0,
  }
  const { keyed_lost: keyed, get_lost: gets, get_repair_p99_ms: repair, plain_get_p99_ms: plain } = figure
  const limit = mostRepairMs + (plain < busyPlainMs ? 0 : plain * repairToPlain)
  // Bun repeats no POST by itself: there is one more send where the budget has a token, and it comes through.
  const recovered = figure.runtime === 'bun' ? figure.keyed_recovered : keyed
  const whatever = {
    ...always,
    [`of ${keyed} lost POSTs with a key ${figure.keyed_recovered} were recovered, ${figure.keyed_sent_twice} with two sends, ${figure.keyed_sent_more} with more`]:
      figure.keyed_recovered === recovered && figure.keyed_sent_twice === recovered && figure.keyed_sent_more === 0,
    [`of ${gets} lost GETs ${figure.get_recovered} were recovered`]: figure.get_recovered === gets,
  }
  if (!tellsOfConnections(figure.runtime)) return whatever
  return {
    ...whatever,
    [`the p99 of a repaired GET is ${repair} ms, of a plain one ${plain} ms; ${limit.toFixed(1)} ms are allowed`]: !timed || repair < limit,
  }
}

function ofDeadSockets({ runtime, method, sockets, sends, outcome, ms }: DeadSocketsFigure, timed: boolean): Demands {
  const right = sends === sendsToDeadSockets(runtime, method, sockets)
  return { [`${method} with ${sockets} dead connections in the pool: ${outcome} after ${sends} sends and ${ms} ms`]: outcome === 'status 200' && right && (!timed || ms < mostDeadSocketsMs) }
}

/** One lost, and one on a fresh connection; before that, Deno sends any request twice by itself, and Bun a GET on every connection. */
function sendsToDeadSockets(runtime: RuntimeName, method: string, sockets: number): number {
  if (runtime === 'deno') return 3
  return runtime === 'bun' && method === 'GET' ? sockets + 1 : 2
}

function ofOutage({ outage, calls, sends, good }: OutageFigure): Demands {
  return {
    [`${outage}: ${sends} sends for ${calls} calls, ${mostSendsAnOutageCall} a call are allowed`]: sends >= calls && sends <= calls * mostSendsAnOutageCall,
    [`${outage}: ${good} calls came through, and none could`]: good === 0,
  }
}
