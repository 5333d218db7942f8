import { isZero } from './traceparent.js'

/** Fills the array with random bytes. */
export type RandomBytes = (bytes: Uint8Array<ArrayBuffer>) => void

/** Makes ids of 16 (a trace) and 8 random bytes (a span), in lower-case hex and never all zeros. */
export interface TraceIds {
  traceId(): string
  spanId(): string
}

/** Makes a source of ids. It draws from a pool, and fills that at the first id: some runtimes have no randomness before a request. */
export function createTraceIds(random: RandomBytes = (bytes) => void crypto.getRandomValues(bytes)): TraceIds {
  const pool = new Uint8Array(3_072)
  let used = pool.length
  const draw = (length: number): string => {
    if (used + length > pool.length) {
      random(pool)
      used = 0
    }
    const bytes = pool.subarray(used, used + length)
    used += length
    const id = Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
    return isZero(id) ? `${id.slice(1)}1` : id
  }
  return { traceId: () => draw(16), spanId: () => draw(8) }
}
