/** Counts requests and those that were lost: answered with 5xx, or not at all. */
export class Tally {
  requests = 0
  failed = 0
  readonly #within: Tally | undefined

  /** @param within a tally that counts the same requests and more */
  constructor(within?: Tally) {
    this.#within = within
  }

  /** @param status 0 where no answer came */
  count(status: number): void {
    this.requests++
    if (status === 0 || status >= 500) this.failed++
    this.#within?.count(status)
  }
}
