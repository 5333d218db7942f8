import type { Duration } from '../duration.js'
import { errorText } from '../errors.js'
import type { Events } from '../events.js'
import { withDeadline } from './deadline.js'
import type { IdempotencyEvents } from './events.js'
import type { IdempotencySettings } from './options.js'
import type { Claim } from './store.js'

/** What the engine does about one key: it tells events, and calls the store within its deadline. */
export interface KeyCalls {
  /** Tells an event of the key. */
  readonly tell: <Name extends keyof IdempotencyEvents>(name: Name, more: Omit<IdempotencyEvents[Name], 'key'>) => undefined
  /** Makes a listener that tells that an operation has failed. */
  readonly failed: (operation: IdempotencyEvents['store-error']['operation']) => (error: unknown) => undefined
  /** The result of an operation within `storeDeadline`, and `more` where it may wait. A result that comes later goes to `late`. */
  readonly within: <T>(operation: () => Promise<T>, late?: (value: T) => void, more?: number) => Promise<T>
  /** Gives a claim back; false where it was no longer held, `undefined` where the store failed. Never rejects. */
  readonly release: (claim: Claim) => Promise<boolean | undefined>
}

/** How many store errors nobody has listened to: the first one is said. */
let unheard = 0

/** Makes the calls for one key. */
export function callsFor(key: string, { store, storeDeadline }: Pick<IdempotencySettings<never>, 'store' | 'storeDeadline'>, events: Events<IdempotencyEvents>): KeyCalls {
  const tell: KeyCalls['tell'] = (name, more) => void events.emit(name, () => ({ key, ...more }) as never)
  const failed: KeyCalls['failed'] = (operation) => (error) => {
    if (!events.emit('store-error', () => ({ key, operation, error })) && !unheard++) console.error(`hopwise: store-error: ${operation}: ${errorText(error)}`)
  }
  const within: KeyCalls['within'] = (operation, late, more = 0) => withDeadline(operation, (storeDeadline + more) as Duration, late)
  return { tell, failed, within, release: (claim) => within(() => store.release(claim)).catch(failed('release')) }
}
