/** An interceptor for the dispatchers of undici 6, 7 and 8. */
export { hopwise, type HopwiseInterceptor } from './interceptor.js'
export type { Interceptor } from './dispatch.js'
