import type { RequestIdOptions } from '@hopwise/core'
import { requestId as nodeRequestId, requestIdentityOf, type RequestIdMiddleware } from '@hopwise/node'
import type { Context, Next } from 'koa'

/** Gives each request an id, with the resolver's counts and events. */
export type KoaRequestIdMiddleware = ((context: Context, next: Next) => Promise<void>) & Pick<RequestIdMiddleware, 'on' | 'rejections'>

/**
 * Gives each request an id: in the response's field, for `requestIdentityOf(ctx)`, and in the context of everything that
 * the request starts (`getRequestId()`). An error that passes by takes the field along in its `headers`, since Koa removes
 * all others before it answers an error.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 * @example app.use(requestId({ trust: true }))
 */
export function requestId(options?: RequestIdOptions): KoaRequestIdMiddleware {
  const identify = nodeRequestId(options)
  const header = options?.header ?? 'x-request-id'

  const middleware = async (context: Context, next: Next): Promise<void> => {
    try {
      await new Promise((resolve, reject) => {
        identify(context.req, context.res, () => next().then(resolve, reject))
      })
    } catch (error) {
      const id = requestIdentityOf(context.req)?.id
      if (error instanceof Error) Object.assign(error, { headers: { ...('headers' in error && (error.headers as object)), [header]: id } })
      throw error
    }
  }
  return Object.assign(middleware, { on: identify.on, rejections: identify.rejections })
}
