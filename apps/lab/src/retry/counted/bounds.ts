import type { DeadSocketsFigure, LossesFigure } from './figures.js'

/** What is right on a runtime that tells of its connections, on a machine that is not busy. */
export const mostRepairMs = 25
export const mostDeadSends = 2
export const mostDeadMs = 250
export const mostSendsAnOutageCall = 1.05

/** From here on the machine is too busy for a limit in milliseconds alone. */
const busyPlainMs = 5
/** A repair is a lost exchange, a connection and another exchange. */
const plainsARepair = 5
/** Below that, the clock and a collection of garbage are most of a GET. */
const leastPlainMs = 1
/** How long the policy waits before its first retry, at most. */
const mostFirstWaitMs = 50

/** The budget that a client has by itself: tokens for an origin, and what an answer gives back. */
const tokens = 10
const perAnswer = 0.1

/** How many lost POSTs with a key are to be recovered, and why no more and no fewer. */
interface KeyedBound {
  readonly least: number
  readonly most: number
  readonly why: string
}

/**
 * Every one, but on Bun within the budget: Bun repeats no POST by itself, so that each loss costs a token, and is recovered where there is one.
 * Tokens add up: retries = 10 + a tenth of the answers - what is left at the end - what a full budget did not take. A third of the calls that
 * are lost want a token, and the calls around one give a sixth or so, so that the budget is soon empty and stays so: what is left and what
 * was not taken are less than the ten of the beginning, together. So there are at least as many retries as a tenth of the answers.
 */
export function keyedBound({ runtime, budget, keyed_lost: lost, answered }: LossesFigure): KeyedBound {
  if (runtime !== 'bun' || budget === 'none') return { least: lost, most: lost, why: 'every one' }
  const given = Math.floor(answered * perAnswer)
  return { least: Math.min(lost, given), most: Math.min(lost, tokens + given), why: 'each one costs a token of the budget, which has no more' }
}

/** Below how many milliseconds the p99 of a repaired GET is to be, and where that comes from. */
interface RepairBound {
  readonly belowMs: number
  readonly why: string
}

/** On Bun and Deno the repair is the runtime's own; where Deno's fails as well, the policy waits and sends. */
export function repairBound({ runtime, plain_get_p99_ms: plain }: LossesFigure): RepairBound {
  const repair = plainsARepair * Math.max(plain, leastPlainMs)
  if (runtime === 'bun') return { belowMs: repair, why: `${plainsARepair} plain p99: the repair is Bun's own` }
  if (runtime === 'deno') return { belowMs: mostFirstWaitMs + repair, why: `${mostFirstWaitMs} ms, the longest first wait of the policy, and ${plainsARepair} plain p99` }
  if (plain < busyPlainMs) return { belowMs: mostRepairMs, why: `${mostRepairMs} ms` }
  return { belowMs: mostRepairMs + repair, why: `busy machine: ${mostRepairMs} ms and ${plainsARepair} plain p99` }
}

/** How often a call with dead connections in the pool is to be sent. */
interface DeadBound {
  readonly sends: number
  readonly why: string
}

/** One lost, and one on a fresh connection; before that, Deno sends any request twice by itself, and Bun a GET on every connection. */
export function deadBound({ runtime, method, sockets }: DeadSocketsFigure): DeadBound {
  if (runtime === 'deno') return { sends: 3, why: "Deno's own fetch sends it twice and fails; Hopwise sends it once more" }
  if (runtime === 'bun' && method === 'GET') return { sends: sockets + 1, why: "Bun's own fetch tries every dead connection, and then a fresh one" }
  return { sends: mostDeadSends, why: 'one lost, and one on a fresh connection' }
}
