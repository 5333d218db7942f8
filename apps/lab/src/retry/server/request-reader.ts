const mostHeaderBytes = 64 * 1024

/** The part of a request that the fault server goes by. */
interface RequestHead {
  readonly path: string
  /** Bytes of the body, or `'chunked'`. */
  readonly body: number | 'chunked'
}

/**
 * Reads the requests of one HTTP/1.1 connection from its bytes, each to the last byte of its body, and hands over their paths.
 * What it does not understand is an error: the lab's clients send nothing else.
 */
export class RequestReader {
  readonly #onRequest: (path: string) => void
  #bytes: Buffer = Buffer.alloc(0)
  #head: RequestHead | undefined

  constructor(onRequest: (path: string) => void) {
    this.#onRequest = onRequest
  }

  push(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk])
    for (;;) {
      this.#head ??= this.#readHead()
      if (this.#head === undefined) return
      const length = this.#head.body === 'chunked' ? chunkedLength(this.#bytes) : this.#head.body
      if (length === undefined || this.#bytes.length < length) return
      this.#bytes = this.#bytes.subarray(length)
      const { path } = this.#head
      this.#head = undefined
      this.#onRequest(path)
    }
  }

  #readHead(): RequestHead | undefined {
    const end = this.#bytes.indexOf('\r\n\r\n')
    if (end === -1) {
      if (this.#bytes.length > mostHeaderBytes) throw new Error('a header without an end')
      return undefined
    }
    const text = this.#bytes.toString('latin1', 0, end)
    this.#bytes = this.#bytes.subarray(end + 4)
    const path = /^[A-Z]+ (\/\S*) HTTP\/1\.1\r?$/m.exec(text)?.[1]
    if (path === undefined) throw new Error(`no request: ${text.slice(0, 80)}`)
    if (/^transfer-encoding: *chunked *$/im.test(text)) return { path, body: 'chunked' }
    return { path, body: Number(/^content-length: *(\d+) *$/im.exec(text)?.[1] ?? 0) }
  }
}

/** How many bytes a chunked body without trailers takes (RFC 9112 7.1); `undefined` while its end has not come. */
function chunkedLength(bytes: Buffer): number | undefined {
  for (let at = 0; ; ) {
    const line = bytes.indexOf('\r\n', at)
    if (line === -1) return undefined
    const size = Number.parseInt(bytes.toString('latin1', at, line), 16)
    if (!Number.isSafeInteger(size)) throw new Error('no chunk')
    at = line + 2 + size + 2
    if (bytes.length < at) return undefined
    if (size === 0) return at
  }
}
