import { createRequestIds, runInContext, type RequestIdOptions, type RequestIds } from '@hopwise/core/request-id'
import { valuesOf } from '@hopwise/core/fetch'
import type { MiddlewareHandler } from 'hono'

/** What {@link requestId} puts into the context. */
export interface RequestIdVariables {
  readonly requestId: string
}

/** Gives each request an id, with the resolver's counts and events. */
export type RequestIdMiddleware = MiddlewareHandler<{ Variables: RequestIdVariables }> & Pick<RequestIds, 'on' | 'rejections'>

/**
 * Gives each request an id: `c.get('requestId')`, the response's field, and the context of everything that the request
 * starts (`getRequestId()`).
 * @throws HopwiseError `option-unknown`, `option-invalid`
 * @example app.use(requestId())
 */
export function requestId(options?: RequestIdOptions): RequestIdMiddleware {
  const ids = createRequestIds(options)
  const middleware: MiddlewareHandler<{ Variables: RequestIdVariables }> = async (c, next) => {
    const context = ids.open((name) => valuesOf(c.req.raw.headers, name))
    const { id } = context.requestId
    c.set('requestId', id)
    c.header(ids.header, id)
    await runInContext(context, next)
    // A `Response` that the handler made by itself knows nothing of the line above. A switch of protocols is the runtime's.
    if (c.res.status >= 200 && c.res.headers.get(ids.header) !== id) c.header(ids.header, id)
  }
  return Object.assign(middleware, { on: ids.on, rejections: ids.rejections })
}
