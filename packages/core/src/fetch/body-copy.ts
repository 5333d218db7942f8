/** A copy of the bytes of a body up to a limit. Beyond it only their number is known, and what was copied is let go. */
export class BodyCopy {
  /** How many bytes the body has so far. */
  size = 0
  readonly #limit: number
  #chunks: Uint8Array[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  add(chunk: Uint8Array): void {
    this.size += chunk.length
    if (this.size > this.#limit) this.#chunks = []
    // A copy, since a handler may use its buffer again for the next chunk.
    else this.#chunks.push(chunk.slice())
  }

  /** The bytes, or `null` where there are more than the limit. */
  take(): Uint8Array<ArrayBuffer> | null {
    return this.size > this.#limit ? null : joined(this.#chunks)
  }
}

/** Chunks as one. */
export function joined(chunks: readonly Uint8Array[]): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(chunks.reduce((size, chunk) => size + chunk.length, 0))
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
