import type { DrainPhase } from '@hopwise/core'
import type { Drainable, DrainReport, DrainRunOptions } from '../index.js'

/** Drains as a hop does, but ends when it is told to. */
export interface FakeHop extends Drainable {
  /** What `drain()` was called with. */
  readonly calls: readonly (DrainRunOptions | undefined)[]
  /** Ends the drain; a number of connections may be cut. */
  finish(forced?: number): void
}

/**
 * Makes one.
 * @param told is called with `'drain'` and `'closed'`
 */
export function fakeHop(told: (what: string) => void = () => {}, policy?: Drainable['policy']): FakeHop {
  const calls: (DrainRunOptions | undefined)[] = []
  let phase: DrainPhase = 'ready'
  let resolve: (report: DrainReport) => void = () => {}
  const finished = new Promise<DrainReport>((given) => {
    resolve = given
  })
  const finish = (forced = 0): void => {
    if (phase === 'closed') return
    phase = 'closed'
    told('closed')
    resolve(reportOf(forced))
  }
  return {
    calls,
    ...(policy !== undefined && { policy }),
    get phase() {
      return phase
    },
    drain: (options) => {
      if (calls.push(options) === 1) {
        phase = 'draining'
        told('drain')
      }
      if (options?.signal?.aborted) finish(1)
      options?.signal?.addEventListener('abort', () => finish(1))
      return finished
    },
    finish,
  }
}

function reportOf(forced: number): DrainReport {
  const nothing = { milliseconds: 0, requests: 0, connections: 0 }
  return {
    mode: 'refuse-first',
    inFlight: forced,
    servedWhileDraining: 0,
    phases: { announcing: nothing, draining: nothing },
    shed: 0,
    farewells: 0,
    closed: { announced: 0, idle: 0, byPeer: 0, forced },
    unfinished: 0,
    milliseconds: 0,
  }
}
