/** Hopwise for Koa 3. */
export { idempotent, type KoaIdempotentMiddleware } from './idempotent.js'
export { requestId, type KoaRequestIdMiddleware } from './request-id.js'
export { idempotentRun, requestIdentityOf } from './run.js'
export { attach, keepRawBody, shutdownTogether, type Hop, type IdempotentRun, type Shutdown, type ShutdownOptions, type ShutdownReport } from '@hopwise/node'
