export { getContext, getRequestId, runInContext, type RequestContext } from './context.js'
export {
  createRequestIds,
  type RejectReason,
  type RequestIdentity,
  type RequestIdEvents,
  type RequestIdOptions,
  type RequestIds,
} from './resolve.js'
export { createUuid7, type Uuid7Sources } from './uuid7.js'
