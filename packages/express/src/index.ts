/** Hopwise for Express 4 and 5. */
export { idempotent } from './idempotent.js'
export { attach, idempotentRun, keepRawBody, requestId, requestIdentityOf, shutdownTogether, type Hop, type IdempotentRun, type Shutdown, type ShutdownOptions, type ShutdownReport } from '@hopwise/node'
