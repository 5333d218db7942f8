/** Hopwise for Fastify 5. */
export { idempotency, type IdempotencyEvents } from './idempotency.js'
export { requestId } from './request-id.js'
export { idempotentRun, requestIdentityOf } from './run.js'
export { attach, keepRawBody, shutdownTogether, type Hop, type IdempotentRun, type Shutdown, type ShutdownOptions, type ShutdownReport } from '@hopwise/node'
