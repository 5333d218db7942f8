/** Hopwise for Express 4 and 5. */
export { idempotent } from './idempotent.js'
export { attach, idempotentRun, keepRawBody, requestId, requestIdentityOf, type Hop, type IdempotentRun } from '@hopwise/node'
