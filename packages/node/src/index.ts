/** Hopwise for `node:http` and `node:https`: the chain's timeouts, the drain, request ids, and the bridge to the core. */
export { attach, type Hop } from './attach.js'
export type { DrainReport, HopEvents } from './events.js'
export { createIdempotentMiddleware, idempotentRun, type IdempotentMiddleware, type IdempotentRun, type Middleware, type NodeRequestReading } from './idempotent.js'
export { keepRawBody, readRawBody, RequestAborted } from './request-body.js'
export { requestId, requestIdentityOf, withRequestId, type RequestIdMiddleware } from './request-id.js'
export type { SignalOptions } from './signals.js'
