export { logBindings, type LogBindings } from './log-bindings.js'
export { outgoingFields, type OutgoingFieldsOptions } from './outgoing.js'
export {
  createTraceContext,
  type TraceContext,
  type TraceContextOptions,
  type TraceContexts,
  type TraceEvents,
  type TraceFault,
  type TraceRejections,
} from './resolve.js'
