import type { ClaimResult, Duration, Fields, SavedPhases, StoredResponse } from '@hopwise/core'

/** A row as the statements of a claim give it. Numbers may come as text, depending on the driver and its settings. */
export interface ClaimRow {
  readonly kind: 'claimed' | 'done' | 'pending' | 'expired' | 'mismatch'
  readonly fence: number | string | bigint
  /** JSON text. */
  readonly phases: string | null
  /** What is left of the lease, in milliseconds with fractions. */
  readonly remaining: number | string | null
  readonly status: number | string | null
  readonly fields: string | null
  readonly request: string | null
  readonly body: Uint8Array | null
}

/** The result of a claim as the row tells it. */
export function resultOf(row: ClaimRow): ClaimResult {
  const fence = Number(row.fence)
  switch (row.kind) {
    case 'claimed':
      return { kind: 'claimed', fence, phases: readPhases(row.phases) }
    case 'done':
      return { kind: 'done', response: responseOf(row) }
    case 'pending':
      return { kind: 'pending', leaseLeft: Math.ceil(Number(row.remaining)) as Duration }
    case 'expired':
      return { kind: 'expired', fence }
    case 'mismatch':
      return { kind: 'mismatch' }
  }
}

function responseOf({ status, fields, request, body }: ClaimRow): StoredResponse {
  return {
    status: Number(status),
    fields: JSON.parse(fields ?? '[]') as Fields,
    // Drivers give a Buffer, which may be a part of what they read from the socket.
    body: body && new Uint8Array(body),
    requestId: request ?? undefined,
  }
}

/** A name as it is kept: JSON's escapes, since jsonb takes neither NUL nor half a surrogate pair. Plain names stay as they are. */
export function phaseName(name: string): string {
  return JSON.stringify(name).slice(1, -1)
}

function readPhases(text: string | null): SavedPhases {
  const kept = JSON.parse(text ?? '{}') as Record<string, string>
  return Object.fromEntries(Object.entries(kept).map(([name, value]) => [JSON.parse(`"${name}"`) as string, value]))
}
