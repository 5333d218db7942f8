/** Idempotency-Key and request ids for whatever handles a `Request` with a `Response`: Workers, Bun, Deno, Next, SvelteKit. */
export { createFetchEngine, valuesOf, type Exchange, type FetchEngine, type Handle } from './engine.js'
export { idempotent, type FetchIdempotencyOptions, type Protect } from './idempotent.js'
export { withRequestId, type FetchHandler } from './request-id.js'
export { requestIdentityOf } from './request-identity.js'
export { idempotentRun, type IdempotentRun } from './runs.js'
