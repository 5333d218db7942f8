import type { Duration } from '../duration.js'
import { lightTimer, withDeadline } from './deadline.js'
import type { Claim, IdempotencyStore } from './store.js'

/** What the keeper of a lease needs to know, and whom it tells. */
export interface LeaseKeeping {
  readonly store: IdempotencyStore
  readonly claim: Claim
  readonly lease: Duration
  readonly maxRun: Duration
  readonly storeDeadline: Duration
  readonly lost: () => void
  readonly tooLong: () => void
  readonly failed: (error: unknown) => void
}

/**
 * Renews a lease at a third of it until the returned function is called, the claim is lost, or `maxRun` is over. A
 * renewal that fails is told and tried again at the next third: two may fail before the lease ends.
 */
export function keepLease(keeping: LeaseKeeping): () => void {
  const { store, claim, lease, storeDeadline } = keeping
  const interval = Math.max(1, Math.floor(lease / 3))
  let renewalsLeft = Math.floor(keeping.maxRun / interval)
  let stopped = false
  let stopTimer = lightTimer(renew, interval)

  function renew(): void {
    if (renewalsLeft-- <= 0) {
      stopped = true
      return keeping.tooLong()
    }
    stopTimer = lightTimer(renew, interval)
    withDeadline(() => store.renew(claim, lease), storeDeadline).then(
      (held) => {
        if (held || stopped) return
        stop()
        keeping.lost()
      },
      (error: unknown) => {
        if (!stopped) keeping.failed(error)
      },
    )
  }

  function stop(): void {
    stopped = true
    stopTimer()
  }
  return stop
}
