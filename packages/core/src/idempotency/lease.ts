import type { Duration } from '../duration.js'
import { lightTimer } from './deadline.js'

/**
 * Renews a lease at a third of it until the returned function is called, the claim is lost, or `maxRun` is over. A
 * renewal that fails is told and tried again at the next third: two may fail before the lease ends.
 * @param renew renews once; gives whether the claim still holds
 * @param lost is called once where it does not
 * @param tooLong is called once where `maxRun` is over
 * @param failed is told of each renewal that fails
 */
export function keepLease(
  lease: Duration,
  maxRun: Duration,
  renew: () => Promise<boolean>,
  lost: () => void,
  tooLong: () => void,
  failed: (error: unknown) => void,
): () => void {
  const interval = Math.floor(lease / 3)
  let renewalsLeft = Math.floor(maxRun / interval)
  let stopped = false
  let stopTimer = lightTimer(next, interval)

  function next(): void {
    if (renewalsLeft-- <= 0) {
      stopped = true
      return tooLong()
    }
    stopTimer = lightTimer(next, interval)
    renew().then(
      (held) => {
        if (held || stopped) return
        stop()
        lost()
      },
      (error: unknown) => {
        if (!stopped) failed(error)
      },
    )
  }

  function stop(): void {
    stopped = true
    stopTimer()
  }
  return stop
}
