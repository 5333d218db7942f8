import { createIdempotentMiddleware, type IdempotentMiddleware } from '@hopwise/node'
import type { IdempotencyOptions } from '@hopwise/core'
import type { Request } from 'express'

/**
 * Protects a route by Idempotency-Key: a retry gets the first answer, byte for byte, and the handler runs once.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 * @example app.post('/orders', idempotent({ store, principal: (request) => request.user.id }), createOrder)
 */
export function idempotent(options: IdempotencyOptions<Request>): IdempotentMiddleware<Request> {
  return createIdempotentMiddleware<Request>(options, {
    target: (request) => request.originalUrl,
    // On a route, its pattern; mounted with `use`, the path, since no route is matched yet.
    route: (request) => request.baseUrl + String(routePath(request) ?? request.path),
  })
}

function routePath(request: Request): unknown {
  return (request.route as { readonly path?: unknown } | undefined)?.path
}
