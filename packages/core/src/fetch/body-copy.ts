/** A copy of the bytes of a body up to a limit. Beyond it only their number is known, and what was copied is let go. */
export interface BodyCopy {
  add(chunk: Uint8Array): void
  /** How many bytes the body has so far. */
  size(): number
  /** The bytes, or `null` where there are more than the limit. */
  take(): Uint8Array<ArrayBuffer> | null
}

/** Begins a copy of at most `limit` bytes. */
export function bodyCopy(limit: number): BodyCopy {
  let size = 0
  let chunks: Uint8Array[] = []
  return {
    add: (chunk) => {
      size += chunk.length
      if (size > limit) chunks = []
      // A copy, since a handler may use its buffer again for the next chunk.
      else chunks.push(chunk.slice())
    },
    size: () => size,
    take: () => (size > limit ? null : joined(chunks, size)),
  }
}

/** Chunks of this many bytes as one. */
export function joined(chunks: readonly Uint8Array[], size: number): Uint8Array<ArrayBuffer> {
  const whole = new Uint8Array(size)
  let at = 0
  for (const chunk of chunks) {
    whole.set(chunk, at)
    at += chunk.length
  }
  return whole
}
