import type { ClaimRequest, ClaimResult, Duration, Fields, SavedPhases, StoredResponse } from '@hopwise/core'
import type { Row } from './schema.js'

/** What a claim comes to, given the record that is there; `claimed` only says that the key may be taken, and with which fence. */
export function decide(row: Row | undefined, { fingerprint, expired }: ClaimRequest, time: number): ClaimResult {
  if (row === undefined) return { kind: 'claimed', fence: 1 }
  const fence = Number(row.fence)
  if (row.state !== 'released') {
    if (row.fingerprint !== fingerprint) return { kind: 'mismatch' }
    if (row.state === 'done') return { kind: 'done', response: responseOf(row) }
    const leaseLeft = Number(row.lease_until) - time
    if (leaseLeft > 0) return { kind: 'pending', leaseLeft: leaseLeft as Duration }
    if (expired !== 'take' && expired !== fence) return { kind: 'expired', fence }
  }
  const phases = row.state === 'pending' ? phasesFrom(row) : undefined
  return { kind: 'claimed', fence: fence + 1, ...(phases !== undefined && { phases }) }
}

/** The saved phases of a row, or `undefined` where it has none. */
export function phasesFrom({ phases }: Pick<Row, 'phases'>): SavedPhases | undefined {
  // JSON.parse makes a property of its own of every name, "__proto__" too.
  return phases === null ? undefined : (JSON.parse(phases) as SavedPhases)
}

function responseOf({ status, fields, request_id: requestId, body }: Row): StoredResponse {
  return {
    status: Number(status),
    fields: JSON.parse(fields ?? '[]') as Fields,
    // A Buffer is copied, and may be a part of a pool; an ArrayBuffer is nobody else's.
    body: body === null ? null : new Uint8Array(body),
    requestId: requestId ?? undefined,
  }
}
