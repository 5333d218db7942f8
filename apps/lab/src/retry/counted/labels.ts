import type { Method } from '../cases.js'

/** A call that is not lost. */
export const plainLabel = 'plain'

/** What is lost, and how. */
export const lossMethods = ['GET', 'POST', 'POST+key'] as const satisfies readonly Method[]
export const lossFaults = ['onefin', 'onerst'] as const

/** Under which label the fault server counts those. */
export function lossLabel(method: (typeof lossMethods)[number], fault: (typeof lossFaults)[number]): string {
  return `${method}-${fault}`
}

/** The calls by which the pool is filled, the one that finds it dead, and those of an outage. */
export const gatherLabel = 'gather'
export const deadLabel = 'dead'
export const outageLabel = 'outage'
