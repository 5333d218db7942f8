import { defineChain, type ChainInput, type Hop } from '@hopwise/core'
import { BoundedMap, mostOrigins } from './bounded-map.js'

/**
 * How long the client may keep an idle connection to the first hop of a chain, in milliseconds: less than that hop keeps it, by
 * `margin`, and at least half of it. TCP hops in front of it forget a flow, so they bound it as well. `undefined` where no hop says a figure.
 * @throws HopwiseError `chain-invalid`
 */
export function chainIdleLimit(input: ChainInput, margin: number): number | undefined {
  const hops = defineChain(input)
  const first = hops.findIndex((hop) => hop.layer === 'http')
  const limits = hops.slice(0, first === -1 ? hops.length : first + 1).map((hop) => limitOf(hop, margin)).filter((limit) => limit !== undefined)
  return limits.length === 0 ? undefined : Math.min(...limits)
}

function limitOf({ downstream: { idle } }: Hop, margin: number): number | undefined {
  return typeof idle === 'number' ? Math.max(idle - margin, idle / 2) : undefined
}

/** A learnt limit is never shorter: below it, keeping connections at all would make no sense. */
const shortest = 1_000
/** A learnt limit is forgotten after this time: a server that was restarted closes connections of any age. */
const heldFor = 600_000

/** What a client learns of how long each origin keeps an idle connection. */
export interface IdleLimits {
  /** How long an idle connection to this origin may be kept, in milliseconds; `undefined`: as the runtime does. */
  limitOf(origin: string): number | undefined
  /** A connection to this origin was found dead by a request after it had been idle for `idleAge` milliseconds. */
  foundDead(origin: string, idleAge: number): void
}

/**
 * How long a connection has to be idle to be closed before a repair, in milliseconds: half as long as the one that was found dead, and
 * any that is idle before the last repair, or where it is not known. Ten dead connections cost one request then and not ten, and those
 * that were just used live on.
 */
export function suspectAge(idleAge: number | undefined, fresh: boolean): number {
  return fresh || idleAge === undefined ? 0 : idleAge / 2
}

/**
 * Makes the limits: half of the lowest idle age at which a connection was found dead, from 1 s up, held for 10 minutes, for the 1,000
 * origins that were used last; and never above what the chain says.
 */
export function createIdleLimits(fromChain: number | undefined, now: () => number): IdleLimits {
  const learnt = new BoundedMap<string, { readonly limit: number; readonly until: number }>(mostOrigins)
  const current = (origin: string): number | undefined => {
    const entry = learnt.get(origin)
    return entry !== undefined && now() < entry.until ? entry.limit : undefined
  }
  return {
    limitOf(origin) {
      const known = [fromChain, current(origin)].filter((limit) => limit !== undefined)
      return known.length === 0 ? undefined : Math.min(...known)
    },
    foundDead(origin, idleAge) {
      const limit = Math.max(shortest, Math.min(idleAge / 2, current(origin) ?? Infinity))
      learnt.set(origin, { limit, until: now() + heldFor })
    },
  }
}
