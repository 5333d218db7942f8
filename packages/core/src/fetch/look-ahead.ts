/** What the next read of a body gives. */
export type Piece = { readonly kind: 'chunk'; readonly bytes: Uint8Array } | { readonly kind: 'end' } | { readonly kind: 'error'; readonly error: unknown }

/** Reads a body one piece ahead, so that its last chunk is known as the last one before it is sent. */
export class LookAhead {
  readonly #reader: ReadableStreamDefaultReader<unknown>
  #next: Promise<Piece>

  constructor(body: ReadableStream<unknown>) {
    this.#reader = body.getReader()
    this.#next = this.#read()
  }

  /** The next piece. After a chunk, the one behind it is asked for at once. */
  async take(): Promise<Piece> {
    const piece = await this.#next
    if (piece.kind === 'chunk') this.#next = this.#read()
    return piece
  }

  /**
   * Whether the body ends behind what was taken. `undefined` where that is not known within this turn of the event loop;
   * with `patient`, it is waited for.
   */
  endsHere(patient: boolean): Promise<boolean | undefined> {
    return new Promise((resolve) => {
      const turn = patient ? undefined : setTimeout(resolve, 0, undefined)
      void this.#next.then((piece) => {
        clearTimeout(turn)
        resolve(piece.kind === 'end')
      })
    })
  }

  #read(): Promise<Piece> {
    return this.#reader.read().then(
      ({ done, value }): Piece => (done ? { kind: 'end' } : { kind: 'chunk', bytes: toBytes(value) }),
      (error: unknown): Piece => ({ kind: 'error', error }),
    )
  }
}

/** Servers take text and buffers as well, although the standard says bytes. */
function toBytes(chunk: unknown): Uint8Array {
  if (typeof chunk === 'string') return new TextEncoder().encode(chunk)
  return ArrayBuffer.isView(chunk) ? new Uint8Array(chunk.buffer, chunk.byteOffset, chunk.byteLength) : new Uint8Array(chunk as ArrayBuffer)
}
