import type { Events } from '../events.js'
import type { IdempotencyEvents } from './events.js'

/** Makes a listener that tells that a store operation has failed. */
export type StoreErrors = (operation: IdempotencyEvents['store-error']['operation']) => (error: unknown) => void

/** Tells what fails in the store's operations on one key. */
export function storeErrors(events: Events<IdempotencyEvents>, key: string): StoreErrors {
  return (operation) => (error) => void events.emit('store-error', () => ({ operation, key, error }))
}
