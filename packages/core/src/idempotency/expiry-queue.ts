const bucketMs = 1_000

/**
 * Keys by the second in which they expire, so that adding one and finding those that are due is O(1) a key, however
 * many there are. An entry may be stale (its record lives longer by now, or is gone): the caller looks again.
 */
export class ExpiryQueue {
  readonly #buckets = new Map<number, Set<string>>()
  /** No bucket before this one is left. */
  #first: number

  constructor(now: number) {
    this.#first = Math.floor(now / bucketMs)
  }

  add(key: string, expiresAt: number): void {
    const index = Math.max(this.#first, Math.ceil(expiresAt / bucketMs))
    const bucket = this.#buckets.get(index)
    if (bucket === undefined) this.#buckets.set(index, new Set([key]))
    else bucket.add(key)
  }

  /** Takes out at most `limit` keys whose second is over. */
  takeDue(now: number, limit: number): string[] {
    const due: string[] = []
    const current = Math.floor(now / bucketMs)
    if (this.#buckets.size === 0) this.#first = Math.max(this.#first, current)
    for (; this.#first <= current && due.length < limit; this.#first++) {
      const bucket = this.#buckets.get(this.#first)
      if (bucket === undefined) continue
      for (const key of bucket) {
        if (due.length >= limit) return due
        bucket.delete(key)
        due.push(key)
      }
      this.#buckets.delete(this.#first)
    }
    return due
  }
}
