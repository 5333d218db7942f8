import { RpcTarget } from 'cloudflare:workers'

/** A caller's function, as it arrives: a stub that is gone with the call unless it is duplicated. */
export interface WakeStub {
  (): unknown
  dup(): WakeStub
  [Symbol.dispose](): void
}

/** Who waits for which key, in the memory of an object. */
export class Waiters {
  readonly #byKey = new Map<string, Set<Waiter>>()

  /** Enters a waiter; it is there until it is disposed of, by its caller or with its caller's request. */
  add(key: string, wake: WakeStub): Waiter {
    const waiting = this.#byKey.get(key) ?? new Set()
    const waiter = new Waiter(wake.dup(), () => {
      waiting.delete(waiter)
      if (waiting.size === 0 && this.#byKey.get(key) === waiting) this.#byKey.delete(key)
    })
    this.#byKey.set(key, waiting.add(waiter))
    return waiter
  }

  /** Wakes all who wait for a key, and waits for none of them. */
  wake(key: string): void {
    for (const waiter of this.#byKey.get(key) ?? []) waiter.wake()
  }

  /** How many wait. */
  count(): number {
    let count = 0
    for (const waiting of this.#byKey.values()) count += waiting.size
    return count
  }
}

/** One who waits. Its caller has it as a stub; with the last stub it is disposed of. */
class Waiter extends RpcTarget {
  readonly #wake: WakeStub
  readonly #left: () => void

  constructor(wake: WakeStub, left: () => void) {
    super()
    this.#wake = wake
    this.#left = left
  }

  wake(): void {
    // Its request may be over, and then there is nobody to wake.
    Promise.resolve(this.#wake()).catch(() => {})
  }

  [Symbol.dispose](): void {
    this.#left()
    this.#wake[Symbol.dispose]()
  }
}
