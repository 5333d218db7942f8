import type { IncomingMessage, ServerResponse } from 'node:http'
import { createRequestIds, runInContext, type RequestIdentity, type RequestIdOptions, type RequestIds } from '@hopwise/core'
import type { Middleware } from './idempotent.js'

/** Gives each request an id, with the resolver's counts and events. */
export type RequestIdMiddleware = Middleware<IncomingMessage> & Pick<RequestIds, 'on' | 'rejections'>

const identities = new WeakMap<IncomingMessage, RequestIdentity>()

/**
 * Makes the middleware that gives each request an id: in the response's field, for {@link requestIdentityOf}, and in
 * the context of everything that the request starts (`getRequestId()`, `outgoingFields()`).
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function requestId(options?: RequestIdOptions): RequestIdMiddleware {
  const ids = createRequestIds(options)
  const middleware: Middleware<IncomingMessage> = (request, response, next) => {
    const context = ids.open((name) => request.headersDistinct[name] ?? [])
    identities.set(request, context.requestId)
    response.setHeader(ids.header, context.requestId.id)
    runInContext(context, next)
  }
  return Object.assign(middleware, { on: ids.on, rejections: ids.rejections })
}

/**
 * The same around a plain `node:http` request listener.
 * @example createServer(withRequestId({ trust: true }, (request, response) => { … }))
 */
export function withRequestId<Response extends ServerResponse>(
  options: RequestIdOptions | undefined,
  listener: (request: IncomingMessage, response: Response) => void,
): (request: IncomingMessage, response: Response) => void {
  const middleware = requestId(options)
  return (request, response) => middleware(request, response, () => listener(request, response))
}

/** The id of a request that went through {@link requestId}, and how it came about. */
export function requestIdentityOf(request: IncomingMessage): RequestIdentity | undefined {
  return identities.get(request)
}
