import type { Claim, ClaimRequest, ClaimResult, Duration, StoredResponse } from '@hopwise/core'

/** What the store needs of a `DurableObjectNamespace`. A KV namespace does not have it. */
export interface ObjectNamespaceLike {
  idFromName(name: string): unknown
  get(id: never): unknown
}

/** The object as its callers see it: each call is one round trip. */
export interface IdempotencyStub {
  claim(request: ClaimRequest): Promise<ClaimResult>
  complete(claim: Claim, response: StoredResponse, retention: Duration): Promise<boolean>
  renew(claim: Claim, lease: Duration): Promise<boolean>
  release(claim: Claim): Promise<boolean>
  savePhase(claim: Claim, name: string, value: string): Promise<boolean>
  sweep(limit: number): Promise<number>
  /** Holds `wake` until what it gives is disposed of. */
  watch(key: string, wake: () => void): Promise<Disposable>
}

/** The object with this name. Never kept: a stub belongs to the request that made it. */
export function stubOf(namespace: ObjectNamespaceLike, name: string): IdempotencyStub {
  return namespace.get(namespace.idFromName(name) as never) as IdempotencyStub
}
