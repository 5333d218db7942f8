import type { IdempotencyStore } from './store.js'

const everyMs = 60_000
const batch = 1_000

/** When each store was last swept by this process; shared by all engines on one store. */
const sweptAt = new WeakMap<IdempotencyStore, number>()

/**
 * Sweeps a batch of expired records in the background, once a minute for a store and again at the next claim where the
 * batch was full, on the back of a claim: no timer keeps a process alive, and a process without traffic does nothing.
 */
export function sweepNowAndThen(store: IdempotencyStore, failed: (error: unknown) => void): void {
  const now = performance.now()
  if (now - (sweptAt.get(store) ?? now - everyMs) < everyMs) return
  sweptAt.set(store, now)
  // Inside of an async function, so that a store that throws instead of rejecting does no harm to the claim.
  ;(async () => store.sweep(batch))().then((removed) => {
    if (removed >= batch) sweptAt.delete(store)
  }).catch(failed)
}
