import type { Fields, StoredResponse } from '@hopwise/core'

/** A finished request as the cache keeps it. */
export interface Entry {
  readonly fingerprint: string
  /** When the claim store forgets it, in milliseconds since 1970 on the clock of the Worker that cached it. */
  readonly expiresAt: number
  readonly response: StoredResponse
}

interface Head {
  readonly v: 1
  readonly f: string
  readonly x: number
  readonly s: number
  readonly h: Fields
  readonly r: string | null
  /** Whether there is a body, which may be empty. */
  readonly b: boolean
}

/** An entry as bytes: a line of JSON, then the body. */
export function writeEntry({ fingerprint, expiresAt, response: { status, fields, body, requestId } }: Entry): Uint8Array<ArrayBuffer> {
  const head: Head = { v: 1, f: fingerprint, x: expiresAt, s: status, h: fields, r: requestId ?? null, b: body !== null }
  const line = new TextEncoder().encode(`${JSON.stringify(head)}\n`)
  const bytes = new Uint8Array(line.length + (body?.length ?? 0))
  bytes.set(line)
  if (body !== null) bytes.set(body, line.length)
  return bytes
}

/** The entry, or `undefined` where the bytes are none of this version's. */
export function readEntry(value: ArrayBuffer): Entry | undefined {
  const bytes = new Uint8Array(value)
  const end = bytes.indexOf(10)
  try {
    const head = JSON.parse(new TextDecoder().decode(bytes.subarray(0, Math.max(0, end)))) as Head
    if (head.v !== 1) return undefined
    const body = head.b ? bytes.slice(end + 1) : null
    return { fingerprint: head.f, expiresAt: head.x, response: { status: head.s, fields: head.h, body, requestId: head.r ?? undefined } }
  } catch {
    return undefined
  }
}
