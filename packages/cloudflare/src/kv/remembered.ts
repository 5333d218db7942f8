/**
 * Which fingerprint a claim had, from its claim to its end: `complete` is not told. Bounded: a run that never ends is
 * forgotten once many others have come, and its result is then not cached.
 */
export class Remembered {
  readonly #limit: number
  readonly #byOwner = new Map<string, string>()

  constructor(limit: number) {
    this.#limit = limit
  }

  add(owner: string, fingerprint: string): void {
    this.#byOwner.set(owner, fingerprint)
    if (this.#byOwner.size <= this.#limit) return
    const [oldest] = this.#byOwner.keys()
    if (oldest !== undefined) this.#byOwner.delete(oldest)
  }

  take(owner: string): string | undefined {
    const fingerprint = this.#byOwner.get(owner)
    this.#byOwner.delete(owner)
    return fingerprint
  }
}
