import { getContext, getRequestId, type RequestIdentity } from '@hopwise/core'
import { idempotentRun, requestIdentityOf, type IdempotentRun as Run } from '@hopwise/node'
import { createParamDecorator, type ExecutionContext } from '@nestjs/common'
import { exchangeOf } from './platform.js'

/** The id of the request, or `undefined` where requests get none. */
export const RequestId = createParamDecorator((_data: unknown, context: ExecutionContext): string | undefined => identityOf(context)?.id ?? getRequestId())

/** The id that the client sent and that was not trusted, where it is a valid one. */
export const ClientRequestId = createParamDecorator((_data: unknown, context: ExecutionContext): string | undefined => identityOf(context)?.clientId)

/** What a handler may know and say of its idempotent run. */
export type IdempotentRun = Run

/**
 * The idempotent run: `key`, `attempt`, `fence`, `phase()`, `deriveKey()`, `transaction`, `release()`. `undefined` where
 * the request came without a key, or the handler is not protected.
 */
export const IdempotentRun = createParamDecorator((_data: unknown, context: ExecutionContext): Run | undefined =>
  context.getType() === 'http' ? idempotentRun(exchangeOf(context).native) : undefined)

function identityOf(context: ExecutionContext): RequestIdentity | undefined {
  return (context.getType() === 'http' ? requestIdentityOf(exchangeOf(context).native) : undefined) ?? getContext()?.requestId
}
