import type { IncomingMessage } from 'node:http'
import type { RequestIdentity } from '@hopwise/core'
import { idempotentRun as runOf, requestIdentityOf as identityOf, type IdempotentRun } from '@hopwise/node'

/** What is asked of a context: Node's request. Any Koa context has it, with or without a router. */
interface HasRequest {
  readonly req: IncomingMessage
}

/**
 * The idempotent run that a context belongs to: its attempt and fence, phases, derived keys, the transaction of a
 * transactional store, and `release()`. `undefined` where the request came without a key, or its route is not protected.
 */
export function idempotentRun(context: HasRequest): IdempotentRun | undefined {
  return runOf(context.req)
}

/** The id of a request that went through {@link requestId}, and how it came about. */
export function requestIdentityOf(context: HasRequest): RequestIdentity | undefined {
  return identityOf(context.req)
}
