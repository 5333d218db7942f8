import type { Claim, ClaimRequest, Duration, StoredResponse } from '@hopwise/core'

/** A small response with every kind of value. */
export const response: StoredResponse = { status: 201, fields: [['a', 'b'], ['A', 'ü']], body: Uint8Array.of(0, 255, 3), requestId: 'r' }

let keysMade = 0

/** A key that no other request has. */
export function newKey(): string {
  return (++keysMade).toString(16).padStart(64, '0')
}

/** What a new owner asks for: a lease of 30 s, kept for an hour. */
export function request(key = newKey(), changes?: Partial<ClaimRequest>): ClaimRequest {
  return {
    key,
    owner: crypto.randomUUID(),
    fingerprint: 'f'.repeat(64),
    lease: 30_000 as Duration,
    retention: 3_600_000 as Duration,
    expired: 'take',
    ...changes,
  }
}

/** The claim that came of a request. */
export function claimOf({ key, owner }: ClaimRequest, fence = 1): Claim {
  return { key, owner, fence }
}
