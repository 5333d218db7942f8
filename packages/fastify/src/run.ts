import type { IncomingMessage } from 'node:http'
import type { RequestIdentity } from '@hopwise/core'
import { idempotentRun as runOf, requestIdentityOf as identityOf, type IdempotentRun } from '@hopwise/node'

/** What is asked of a request: Node's own. Any Fastify request has it, whatever its type parameters. */
interface HasRaw {
  readonly raw: IncomingMessage
}

/**
 * The idempotent run that a request belongs to: its attempt and fence, phases, derived keys, the transaction of a
 * transactional store, and `release()`. `undefined` where the request came without a key, or its route is not protected.
 */
export function idempotentRun(request: HasRaw): IdempotentRun | undefined {
  return runOf(request.raw)
}

/** The id of a request that went through {@link requestId}, and how it came about. */
export function requestIdentityOf(request: HasRaw): RequestIdentity | undefined {
  return identityOf(request.raw)
}
