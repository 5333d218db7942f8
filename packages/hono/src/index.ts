/** Hopwise for Hono 4, on every runtime: nothing here imports from Node. What has to do with sockets is in `/node`, `/bun` and `/deno`. */
export { idempotent, type IdempotentMiddleware, type IdempotentVariables } from './idempotent.js'
export { policy, type PolicyHop } from './policy.js'
export { requestId, type RequestIdMiddleware, type RequestIdVariables } from './request-id.js'
export type { IdempotentRun } from '@hopwise/core/fetch'
