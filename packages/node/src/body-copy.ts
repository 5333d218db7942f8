/** A copy of the bytes of a body up to a limit. Beyond it only their number is known, and what was copied is let go. */
export class BodyCopy {
  /** How many bytes the body has so far. */
  size = 0
  readonly #limit: number
  #chunks: Uint8Array[] = []

  constructor(limit: number) {
    this.#limit = limit
  }

  add(chunk: string | Uint8Array, encoding?: BufferEncoding): void {
    this.size += typeof chunk === 'string' ? Buffer.byteLength(chunk, encoding) : chunk.length
    if (this.size > this.#limit) this.#chunks = []
    // A copy, since a handler may use its buffer again for the next chunk.
    else this.#chunks.push(typeof chunk === 'string' ? Buffer.from(chunk, encoding) : Buffer.from(chunk))
  }

  /** The bytes, or `null` where there are more than the limit. */
  take(): Uint8Array | null {
    return this.size > this.#limit ? null : Buffer.concat(this.#chunks)
  }
}
