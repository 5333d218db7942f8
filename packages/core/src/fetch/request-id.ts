import { createRequestIds, runInContext, type RequestIdOptions } from '../request-id/index.js'
import { valuesOf } from './engine.js'
import { rememberIdentity } from './request-identity.js'

/** A handler of web standards. What a platform gives besides the request (`env`, `ctx`, `info`) is handed on. */
export type FetchHandler<Rest extends readonly unknown[] = []> = (request: Request, ...rest: Rest) => Response | Promise<Response>

/**
 * Gives each request an id: in the response's field, for `requestIdentityOf`, and in the context of everything that the
 * request starts (`getRequestId()`).
 * @throws HopwiseError `option-unknown`, `option-invalid`
 * @example export default { fetch: withRequestId({ trust: true }, (request) => new Response(getRequestId())) }
 */
export function withRequestId<Rest extends readonly unknown[] = []>(options: RequestIdOptions | undefined, handler: FetchHandler<Rest>): (request: Request, ...rest: Rest) => Promise<Response> {
  const ids = createRequestIds(options)
  return async (request, ...rest) => {
    const context = ids.open((name) => valuesOf(request.headers, name))
    rememberIdentity(request, context.requestId)
    const response = await runInContext(context, () => handler(request, ...rest))
    // A switch of protocols is the platform's own, and cannot be made again.
    if (response.status < 200) return response
    // A copy, since the fields of a response may be locked, and one without a body may be shared by all requests.
    const copy = new Response(response.body, response)
    copy.headers.set(ids.header, context.requestId.id)
    return copy
  }
}
