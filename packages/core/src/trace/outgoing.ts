import { getContext, type RequestContext } from '../request-id/context.js'
import { createTraceIds } from './ids.js'
import { formatTraceparent } from './traceparent.js'

const ids = /* @__PURE__ */ createTraceIds()

/** The options of {@link outgoingFields}. */
export interface OutgoingFieldsOptions {
  /** The field that carries the request id. ['x-request-id'] */
  readonly requestIdHeader?: string
  /** The id of this one call, for a caller that notes it: 16 hexadecimal characters. [a new one] */
  readonly spanId?: string
}

/**
 * The fields by which a request that is sent on behalf of the current one says so: the request id, `traceparent` with a
 * new id for each call (W3C Trace Context 3.2.2.4), `tracestate` and `baggage`. Empty outside of a request.
 * @example await fetch(url, { headers: [...outgoingFields(), ['accept', 'application/json']] })
 */
export function outgoingFields(
  context: RequestContext | undefined = getContext(),
  { requestIdHeader = 'x-request-id', spanId }: OutgoingFieldsOptions = {},
): [name: string, value: string][] {
  const { requestId, trace } = context ?? {}
  const fields: [string, string][] = []
  if (requestId !== undefined) fields.push([requestIdHeader, requestId.id])
  if (trace !== undefined) fields.push(['traceparent', formatTraceparent(trace.traceId, spanId ?? ids.spanId(), trace.flags)])
  if (trace?.tracestate !== undefined) fields.push(['tracestate', trace.tracestate])
  if (trace?.baggage !== undefined) fields.push(['baggage', trace.baggage])
  return fields
}
