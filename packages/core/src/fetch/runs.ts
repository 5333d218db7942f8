import type { Ticket } from '../idempotency/index.js'

/** What a handler may know and say of its idempotent run. */
export type IdempotentRun = Pick<Ticket, 'key' | 'attempt' | 'fence' | 'transaction' | 'phase' | 'deriveKey' | 'release'>

const runs = new WeakMap<Request, IdempotentRun>()

/** Remembers that these requests belong to a run: the one that came, and the one that the handler gets. */
export function rememberRun(run: IdempotentRun, ...requests: readonly Request[]): void {
  for (const request of requests) runs.set(request, run)
}

/**
 * The idempotent run that a request belongs to: its attempt and fence, phases, derived keys, the transaction of a
 * transactional store, and `release()` for a handler that knows that nothing happened. `undefined` where the request came
 * without a key, or its handler is not protected. A handler has to ask with the request that it was given.
 */
export function idempotentRun(request: Request): IdempotentRun | undefined {
  return runs.get(request)
}
