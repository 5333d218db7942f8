import type { Duration } from '../duration.js'
import { withDeadline } from './deadline.js'
import type { IdempotencyStore } from './store.js'

const firstPause = 50
const longestPause = 1_000

/** What {@link waitForResult} works with. */
export interface Waiting<Result extends { readonly kind: string }> {
  readonly store: IdempotencyStore
  readonly key: string
  readonly limit: Duration
  readonly storeDeadline: Duration
  /** Claims once more. */
  readonly again: () => Promise<Result>
  /** The store's notifications failed; the waiting goes on by polling. */
  readonly unwatched: (error: unknown) => void
}

/**
 * Claims again and again until the key is no longer pending or `limit` is over: woken by the store where it can, and in
 * any case after a pause that grows from 50 ms to 1 s, give or take a half, since a notification may be lost.
 * @throws whatever `again` throws
 */
export async function waitForResult<Result extends { readonly kind: string }>({ store, key, limit, storeDeadline, again, unwatched }: Waiting<Result>): Promise<Result> {
  const endsAt = performance.now() + limit
  let wake = (): void => {}
  let woken = false
  let stop: (() => void) | undefined
  const woke = (): void => {
    woken = true
    wake()
  }
  try {
    stop = await withDeadline(async () => store.watch?.(key, woke), storeDeadline, (late) => late?.())
  } catch (error) {
    unwatched(error)
  }
  try {
    for (let pause = firstPause; ; pause = Math.min(longestPause, pause * 2)) {
      // First of all without a pause: the result may have come before the watch began.
      woken = false
      const result = await again()
      const left = endsAt - performance.now()
      if (result.kind !== 'pending' || left <= 0) return result
      if (woken) continue
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, Math.min(left, pause * (0.5 + Math.random())))
        wake = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  } finally {
    stop?.()
  }
}
