import { begun } from './deadline.js'
import type { IdempotencyStore } from './store.js'

const everyMs = 60_000
const batch = 1_000

/** When each store is to be swept next by this process; shared by all engines on one store. */
const dueAt = new WeakMap<IdempotencyStore, number>()

/**
 * Sweeps a batch of expired records in the background, once a minute for a store and again at the next claim where the
 * batch was full, on the back of a claim: no timer keeps a process alive, and a process without traffic does nothing.
 */
export function sweepNowAndThen(store: IdempotencyStore, failed: (error: unknown) => void): void {
  const now = performance.now()
  if (now < (dueAt.get(store) ?? 0)) return
  dueAt.set(store, now + everyMs)
  begun(() => store.sweep(batch)).then((removed) => {
    if (removed >= batch) dueAt.delete(store)
  }).catch(failed)
}
