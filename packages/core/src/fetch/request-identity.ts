import type { RequestIdentity } from '../request-id/index.js'

const identities = new WeakMap<Request, RequestIdentity>()

/** Remembers the id of a request. */
export function rememberIdentity(request: Request, identity: RequestIdentity): void {
  identities.set(request, identity)
}

/** The request that takes another one's place has its id. */
export function passIdentityOn(from: Request, to: Request): void {
  const identity = identities.get(from)
  if (identity !== undefined) identities.set(to, identity)
}

/** The id of a request that went through `withRequestId`, and how it came about: for runtimes without AsyncLocalStorage. */
export function requestIdentityOf(request: Request): RequestIdentity | undefined {
  return identities.get(request)
}
