import { HopwiseError, type ClaimResult, type Duration } from '@hopwise/core'
import { readResponse } from './record.js'

/** What a claim comes to; `taken` where the key was pending before, and a run that may have had effects stood behind it. */
export type ClaimReply = { readonly result: ClaimResult; readonly taken: boolean }

/**
 * Reads the reply of the claim script.
 * @throws HopwiseError `store-unusable` where it is not one, such as one that the client has made something else of
 */
export function readClaim(reply: unknown): ClaimReply {
  if (!Array.isArray(reply)) throw notReadable(reply)
  const [kind, second, third, ...phases] = reply as readonly unknown[]
  switch (textOf(kind)) {
    case 'claimed': {
      const fence = countOf(second)
      if (phases.length === 0) return { result: { kind: 'claimed', fence }, taken: countOf(third) === 1 }
      return { result: { kind: 'claimed', fence, phases: pairsOf(phases) }, taken: true }
    }
    case 'done':
      return { result: { kind: 'done', response: readResponse(textOf(second)) }, taken: false }
    case 'pending':
      return { result: { kind: 'pending', leaseLeft: countOf(second) as Duration }, taken: false }
    case 'expired':
      return { result: { kind: 'expired', fence: countOf(second) }, taken: false }
    case 'mismatch':
      return { result: { kind: 'mismatch' }, taken: false }
    default:
      throw notReadable(kind)
  }
}

/**
 * Reads the reply of the other scripts: 1 or 0.
 * @throws HopwiseError `store-unusable` where it is neither
 */
export function readHeld(reply: unknown): boolean {
  return countOf(reply) === 1
}

/**
 * A text as clients give it: a string, or bytes where they are told so.
 * @throws HopwiseError `store-unusable` where it is something else
 */
export function textOf(value: unknown): string {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return new TextDecoder('utf-8', { ignoreBOM: true }).decode(value)
  throw notReadable(value)
}

/**
 * A whole number as clients give it: a number, a bigint, or its digits.
 * @throws HopwiseError `store-unusable` where it is something else
 */
export function countOf(value: unknown): number {
  const count = typeof value === 'number' || typeof value === 'bigint' ? Number(value) : Number.parseInt(textOf(value), 10)
  if (Number.isSafeInteger(count)) return count
  throw notReadable(value)
}

function pairsOf(flat: readonly unknown[]): Record<string, string> {
  return Object.fromEntries(Array.from({ length: flat.length / 2 }, (_, at) => [textOf(flat[at * 2]), textOf(flat[at * 2 + 1])]))
}

function notReadable(value: unknown): HopwiseError {
  const seen = value === null ? 'null' : Array.isArray(value) ? 'an array' : typeof value
  return new HopwiseError(
    'store-unusable',
    `redisStore: the client gave ${seen} where Redis answers a string, a number or an array of them; replies must be passed on as they are, with no parsing of their texts`,
  )
}
