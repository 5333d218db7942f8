import { memoryStore, type IdempotencyStore } from '@hopwise/core'

/** A memory store of which one operation waits until it is let go, and tells when it is called. */
export type HeldStore = IdempotencyStore & { readonly letGo: () => void; readonly called: Promise<void> }

/** Makes a {@link HeldStore}. */
export function heldStore(operation: 'claim' | 'complete'): HeldStore {
  const store = memoryStore()
  let letGo: () => void = () => {}
  const gone = new Promise<void>((resolve) => {
    letGo = resolve
  })
  let arrived: () => void = () => {}
  const called = new Promise<void>((resolve) => {
    arrived = resolve
  })
  const held = async (work: () => unknown): Promise<unknown> => {
    arrived()
    await gone
    return work()
  }
  const claim = (...args: Parameters<IdempotencyStore['claim']>) => held(() => store.claim(...args))
  const complete = (...args: Parameters<IdempotencyStore['complete']>) => held(() => store.complete(...args))
  return { ...store, [operation]: operation === 'claim' ? claim : complete, letGo, called }
}
