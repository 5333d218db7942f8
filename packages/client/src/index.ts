/** A fetch that repairs closed connections and retries, on any runtime. */
export { createClient, type Client, type ClientOptions } from './client.js'
export type { Clock } from './clock.js'
export type { CallInfo, ClientEvents } from './events.js'
export type { Evidence, Verdict } from './evidence.js'
export type { BudgetOptions, CommonOptions, KeyedRequest, KeyMaker, RetryOptions } from './options.js'
export type { ClientInit } from './order.js'
export { RequestError, type Failure } from './request-error.js'
