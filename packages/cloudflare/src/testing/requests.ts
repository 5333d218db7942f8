import type { Claim, ClaimRequest, Duration, IdempotencyStore, StoredResponse } from '@hopwise/core'

export const seconds = (count: number): Duration => (count * 1_000) as Duration

/** A response with `size` bytes of body. */
export function response(size = 3): StoredResponse {
  return { status: 201, fields: [['content-type', 'text/plain']], body: new Uint8Array(size).fill(7), requestId: 'request-1' }
}

let made = 0

/** What a new owner of a new key asks for: a lease of 30 s, and an hour of retention. */
export function request(over: Partial<ClaimRequest> = {}): ClaimRequest {
  // Spread over the shards as a digest would be.
  const key = Math.imul(++made, 0x9e3779b1) >>> 0
  return {
    key: key.toString(16).padStart(8, '0') + String(made).padStart(56, '0'),
    owner: crypto.randomUUID(),
    fingerprint: 'f'.repeat(64),
    lease: seconds(30),
    retention: seconds(3_600),
    expired: 'take',
    ...over,
  }
}

/** The same request from a new owner. */
export function again(first: ClaimRequest, over: Partial<ClaimRequest> = {}): ClaimRequest {
  return { ...first, owner: crypto.randomUUID(), ...over }
}

/** Claims, and gives the claim. */
export async function hold(store: IdempotencyStore, asked: ClaimRequest = request()): Promise<Claim> {
  const result = await store.claim(asked)
  if (result.kind !== 'claimed') throw new Error(`the claim: ${result.kind}`)
  return { key: asked.key, owner: asked.owner, fence: result.fence }
}
