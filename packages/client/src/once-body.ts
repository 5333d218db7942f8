import { endBody } from './end-body.js'

/**
 * A stream that can be sent once. Node's fetch takes its first chunk before there is a connection (measured, 20 to 24: it clones the
 * request by a tee): where none could be opened, that chunk is still here, and the next attempt begins with it.
 */
export class OnceBody {
  readonly kind = 'once'
  readonly source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>
  #chunks: AsyncIterator<Uint8Array> | undefined
  #first: Promise<IteratorResult<Uint8Array>> | undefined
  #isWhole = true

  constructor(source: ReadableStream<Uint8Array> | AsyncIterable<Uint8Array>) {
    this.source = source
  }

  /** Whether all of it is still here. */
  get isWhole(): boolean {
    return this.#isWhole
  }

  /**
   * All of it as a stream, which takes nothing before it is read.
   * @throws TypeError where the source is locked, or was read by somebody else: its rest is not what the caller means
   */
  open(): ReadableStream<Uint8Array> {
    const { source } = this
    // Only this looks whether it was read, and takes nothing.
    if (this.#chunks === undefined && source instanceof ReadableStream) void new Request('http://a.invalid', { method: 'POST', body: source, duplex: 'half' } as RequestInit)
    let isFirst = true
    return new ReadableStream<Uint8Array>(
      {
        pull: async (controller) => {
          const taken = this.#take(isFirst)
          isFirst = false
          const { done, value } = await taken
          if (done === true) controller.close()
          else controller.enqueue(value)
        },
        cancel: async (reason) => {
          if (!this.#isWhole) await this.#chunks?.return?.(reason)
        },
      },
      { highWaterMark: 0 },
    )
  }

  /** Nobody will send it any more: where it was begun, its source is told so. One that is still untouched is its caller's. */
  drop(): void {
    Promise.resolve().then(() => this.#chunks?.return?.()).catch(() => {})
  }

  /** The same for a source that was made for this body only, which is ended also where it is untouched. */
  end(): void {
    if (this.#chunks === undefined) endBody(this.source)
    else this.drop()
  }

  #take(isFirst: boolean): Promise<IteratorResult<Uint8Array>> {
    const chunks = (this.#chunks ??= (this.source as AsyncIterable<Uint8Array>)[Symbol.asyncIterator]())
    if (isFirst) return (this.#first ??= chunks.next())
    this.#isWhole = false
    this.#first = undefined
    return chunks.next()
  }
}
