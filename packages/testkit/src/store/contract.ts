import type { Duration, IdempotencyStore } from '@hopwise/core'
import type { StoreCase } from './case.js'
import { claimCases } from './cases/claim.js'
import { holderCases } from './cases/holder.js'
import { leaseCases } from './cases/lease.js'
import { phaseCases } from './cases/phases.js'
import { releaseCases } from './cases/release.js'
import { replayCases } from './cases/replay.js'
import { retentionCases } from './cases/retention.js'
import { sharedCases } from './cases/shared.js'
import { watchCases } from './cases/watch.js'
import { storeTools } from './tools.js'

/** One store, made fresh and empty for one case. */
export interface StoreUnderTest {
  readonly store: IdempotencyStore
  /** Another handle on the same data, such as a second connection; needed for {@link StoreSupports.sharedData}. */
  readonly second?: IdempotencyStore
  /** Called once, after the case, whatever came of it. */
  close(): Promise<void>
}

/** How time passes for the stores under test. */
export interface ContractClock {
  /**
   * Lets `time` milliseconds pass for the store: moves the clock that was injected into it, or really waits where the
   * store's clock is its server's.
   */
  advance(time: Duration): Promise<void> | void
  /**
   * The milliseconds that all leases, retentions and advances are multiples of. A case lets 8 units pass at most; where
   * the time is real, half a unit must be more than the operations of one case take. [1,000]
   */
  readonly unit?: number
}

/** What a store can do; each flag selects cases. */
export interface StoreSupports {
  /** Several handles see the same data: `create` gives a `second`. [false] */
  readonly sharedData?: boolean
  /** `sweep` removes and counts; false where the store's own expiry does that, and `sweep` gives 0. [true] */
  readonly sweep?: boolean
  /** A response body of 1 MiB is kept. [true] */
  readonly largeBody?: boolean
  /** The store has a `watch`. [false] */
  readonly watch?: boolean
}

/** What {@link storeContract} is told of a store. */
export interface StoreContractOptions {
  /** The store's name, in front of the name of each case. */
  readonly name: string
  readonly create: () => Promise<StoreUnderTest>
  readonly clock: ContractClock
  readonly supports?: StoreSupports
  /** How long a watcher is waited for before it counts as never woken, in real milliseconds. [5,000] */
  readonly wakesWithin?: number
}

/** One case, for any test runner: `test(name, run)`. `run` rejects with an Error that says what was expected and what came. */
export interface ContractCase {
  readonly name: string
  readonly run: () => Promise<void>
}

/** A case that does not apply to the store, and why. */
export interface SkippedCase {
  readonly name: string
  readonly reason: string
}

const reasons: Readonly<Record<keyof StoreSupports, string>> = {
  sharedData: 'supports.sharedData is not set: there is one handle only',
  sweep: 'supports.sweep is false: the store expires records by itself',
  largeBody: 'supports.largeBody is false: a body of 1 MiB is not kept',
  watch: 'supports.watch is not set: the store has no notifications',
}

/**
 * What every idempotency store must do, as a list of cases. Imports no test runner and nothing of Node, so that it runs
 * wherever the store does.
 *
 * @example
 * const { cases } = storeContract({ name: 'my store', create, clock })
 * for (const { name, run } of cases) test(name, run)
 */
export function storeContract(options: StoreContractOptions): { cases: ContractCase[]; skipped: SkippedCase[] } {
  const { name } = options
  const supports = { sharedData: false, sweep: true, largeBody: true, watch: false, ...options.supports }
  const cases: ContractCase[] = []
  const skipped: SkippedCase[] = []
  for (const { title, needs, run } of allCases) {
    const fullName = `${name}: ${title}`
    const missing = [needs ?? []].flat().find((flag) => !supports[flag])
    if (missing !== undefined) skipped.push({ name: fullName, reason: reasons[missing] })
    else cases.push({ name: fullName, run: () => runCase(run, options) })
  }
  return { cases, skipped }
}

const allCases: readonly StoreCase[] = [
  ...claimCases,
  ...replayCases,
  ...holderCases,
  ...leaseCases,
  ...releaseCases,
  ...retentionCases,
  ...phaseCases,
  ...watchCases,
  ...sharedCases,
]

async function runCase(run: StoreCase['run'], { create, clock, wakesWithin = 5_000 }: StoreContractOptions): Promise<void> {
  const subject = await create()
  try {
    await run(storeTools(subject, clock, wakesWithin))
  } finally {
    await subject.close()
  }
}
