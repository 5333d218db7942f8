import type { ClaimRequest, ClaimResult, Duration, Fields, SavedPhases, StoredResponse } from '@hopwise/core'

/** A record as both databases give it; times in milliseconds since 1970. */
export interface Row {
  readonly state: 'pending' | 'released' | 'done'
  readonly fence: number
  readonly fingerprint: string
  readonly lease_until: number
  readonly status: number | null
  readonly fields: string | null
  readonly request_id: string | null
  /** D1 gives a list of numbers, a Durable Object an ArrayBuffer. */
  readonly body: ArrayBuffer | readonly number[] | null
  /** An object of names and texts, as JSON. */
  readonly phases: string | null
}

/** The columns of {@link Row}. */
export const rowColumns = 'state, fence, fingerprint, lease_until, status, fields, request_id, body, phases'

/** A row of D1 and of a Durable Object has at most 2,000,000 bytes; the rest is for the columns of bounded length. */
export const roomInRow = 1_990_000

/** How many bytes a text has. */
export function bytesOf(text: string): number {
  return new TextEncoder().encode(text).length
}

/** What a claim comes to, given the record that is there; `claimed` only says that the key may be taken, and with which fence. */
export function decide(row: Row | undefined, { fingerprint, expired }: ClaimRequest, time: number): ClaimResult {
  if (row === undefined) return { kind: 'claimed', fence: 1 }
  const { fence } = row
  if (row.state !== 'released') {
    if (row.fingerprint !== fingerprint) return { kind: 'mismatch' }
    if (row.state === 'done') return { kind: 'done', response: responseOf(row) }
    const leaseLeft = Math.ceil(row.lease_until - time)
    if (leaseLeft > 0) return { kind: 'pending', leaseLeft: leaseLeft as Duration }
    if (expired !== 'take' && expired !== fence) return { kind: 'expired', fence }
  }
  return claimedWith(fence + 1, row)
}

/** A claim that succeeded, with the phases that the run before had saved. */
export function claimedWith(fence: number, { phases }: Pick<Row, 'phases'>): ClaimResult & { readonly kind: 'claimed' } {
  // JSON.parse makes a property of its own of every name, "__proto__" too.
  return phases === null ? { kind: 'claimed', fence } : { kind: 'claimed', fence, phases: JSON.parse(phases) as SavedPhases }
}

/** The values of the columns `status`, `fields`, `request_id` and `body`: a body for which a row has no room is left out. */
export function responseValues({ status, fields, requestId, body }: StoredResponse): [number, string, string | null, Uint8Array | null] {
  const text = JSON.stringify(fields)
  const room = roomInRow - bytesOf(text)
  return [status, text, requestId ?? null, body !== null && body.length <= room ? body : null]
}

function responseOf({ status, fields, request_id: requestId, body }: Row): StoredResponse {
  return {
    status: Number(status),
    fields: JSON.parse(fields ?? '[]') as Fields,
    body: body === null ? null : new Uint8Array(body),
    requestId: requestId ?? undefined,
  }
}
