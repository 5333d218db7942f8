import { randomUUID } from 'node:crypto'

/**
 * What a new owner asks of key number `index`: a lease of 30 s, kept for an hour.
 * @param {number} index
 */
export function requestFor(index) {
  return {
    key: String(index).padStart(64, '0'),
    owner: randomUUID(),
    fingerprint: 'f'.repeat(64),
    lease: 30_000,
    retention: 3_600_000,
    expired: 'take',
  }
}
