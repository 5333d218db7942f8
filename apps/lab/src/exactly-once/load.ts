import { setTimeout as wait } from 'node:timers/promises'
import type { Caller, CallOrder, Outcome } from './callers.js'

/** A call that has come to something. */
export interface Made extends CallOrder {
  readonly outcome: Outcome
}

/** Calls that go on until they are stopped. */
export interface Load {
  readonly made: readonly Made[]
  /** Ends it, once every call has come to something. */
  stop(): Promise<void>
}

/** The longest pause of a lane between two calls. */
const pauseMs = 20

/** Makes calls, so many at a time and half of them orders, each with a reference of its own. */
export function startLoad(caller: Caller, lanes: number, random: () => number): Load {
  const made: Made[] = []
  let next = 0
  let over = false
  const lane = async (): Promise<void> => {
    while (!over) {
      const order: CallOrder = { method: random() < 0.5 ? 'POST' : 'GET', reference: `call-${next++}` }
      made.push({ ...order, outcome: await caller.call(order) })
      await wait(random() * pauseMs)
    }
  }
  const work = Promise.all(Array.from({ length: lanes }, lane))
  return {
    made,
    stop: async () => {
      over = true
      await work
    },
  }
}
