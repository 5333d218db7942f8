import type { Claim, ClaimRequest, Duration, IdempotencyStore, StoredResponse } from '@hopwise/core'

let keysMade = 0

/** What a new owner asks for, of a key of its own unless `over` says which: a lease of 30 s, kept for a minute. */
export function request(over: Partial<ClaimRequest> = {}): ClaimRequest {
  return {
    key: (++keysMade).toString(16).padStart(64, '0'),
    owner: crypto.randomUUID(),
    fingerprint: 'f'.repeat(64),
    lease: milliseconds(30_000),
    retention: milliseconds(60_000),
    expired: 'take',
    ...over,
  }
}

/** The same key and fingerprint from a new owner. */
export function again(first: ClaimRequest, over: Partial<ClaimRequest> = {}): ClaimRequest {
  return { ...first, owner: crypto.randomUUID(), ...over }
}

/** Claims, and gives the claim. */
export async function hold(store: IdempotencyStore, asked: ClaimRequest = request()): Promise<Claim> {
  const result = await store.claim(asked)
  if (result.kind !== 'claimed') throw new Error(`the claim is ${result.kind}`)
  return { key: asked.key, owner: asked.owner, fence: result.fence }
}

export const minute = milliseconds(60_000)

export function milliseconds(count: number): Duration {
  return count as Duration
}

/** A small JSON response, unless `over` says something else. */
export function response(over: Partial<StoredResponse> = {}): StoredResponse {
  return { status: 201, fields: [['content-type', 'application/json'], ['location', '/orders/1']], body: utf8('{"order":1}'), requestId: 'request-1', ...over }
}

export function utf8(text: string): Uint8Array {
  return new TextEncoder().encode(text)
}

/** Really waits: the time is Redis's. */
export function pass(time: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, time))
}
