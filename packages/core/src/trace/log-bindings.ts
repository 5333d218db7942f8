import { getContext, type RequestContext } from '../request-id/context.js'

/** What a log line says of the request that it belongs to. */
export interface LogBindings {
  requestId?: string
  traceId?: string
  spanId?: string
}

/**
 * The ids of the current request for a log line; empty outside of one. A new object each time, as pino's `mixin` wants.
 * @example const logger = pino({ mixin: () => logBindings() })
 */
export function logBindings(context: RequestContext | undefined = getContext()): LogBindings {
  const { requestId, trace } = context ?? {}
  return {
    ...(requestId !== undefined && { requestId: requestId.id }),
    ...(trace !== undefined && { traceId: trace.traceId, spanId: trace.spanId }),
  }
}
