/** A response as it came over the wire. */
export interface RawResponse {
  readonly status: number
  /** Names in lower case, in order, repeated ones apart. */
  readonly fields: readonly (readonly [name: string, value: string])[]
  readonly body: Buffer
  /** The first value of a field. */
  field(name: string): string | undefined
}

const headEnd = '\r\n\r\n'

/** Cuts a byte stream into HTTP/1.1 responses; strict, and only as far as servers under test need it. */
export class ResponseReader {
  /** All bytes that ever came. */
  received = 0
  #chunks: Uint8Array[] = []
  #length = 0
  /** So many bytes have to be there before another look is worth it: a body of 10 MiB comes in hundreds of chunks. */
  #needed = 0

  add(chunk: Uint8Array): void {
    this.received += chunk.length
    this.#length += chunk.length
    this.#chunks.push(chunk)
  }

  /** What has come and was not taken, as latin1. */
  peek(): string {
    return this.#bytes().toString('latin1')
  }

  #bytes(): Buffer<ArrayBuffer> {
    const bytes = Buffer.concat(this.#chunks)
    this.#chunks = [bytes]
    return bytes
  }

  #keep(rest: Buffer<ArrayBuffer>): void {
    this.#chunks = [rest]
    this.#length = rest.length
    this.#needed = 0
  }

  /** Takes the next whole response, or gives `undefined` where more bytes are needed. Interim (1xx) ones are passed over. */
  take(toHead: boolean, ended: boolean): RawResponse | undefined {
    if (this.#length < this.#needed && !ended) return undefined
    const buffer = this.#bytes()
    const at = buffer.indexOf(headEnd)
    if (at < 0) return undefined
    const [statusLine = '', ...lines] = buffer.subarray(0, at).toString('latin1').split('\r\n')
    const status = Number(/^HTTP\/1\.[01] (\d{3})/.exec(statusLine)?.[1])
    if (Number.isNaN(status)) throw new Error(`not a status line: ${JSON.stringify(statusLine)}`)
    const fields = lines.map((line) => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const
    })
    const field = (name: string) => fields.find(([found]) => found === name)?.[1]
    const start = at + headEnd.length
    const rest = buffer.subarray(start)
    if (status < 200) {
      this.#keep(rest)
      return this.take(toHead, ended)
    }
    const framed = readBody(rest, { status, toHead, ended, field })
    if ('needed' in framed) {
      this.#needed = start + framed.needed
      return undefined
    }
    this.#keep(framed.rest)
    return { status, fields, body: framed.body, field }
  }
}

/** A body and what comes behind it, or how many bytes have to be there before it can be one. */
type Framed = { readonly body: Buffer; readonly rest: Buffer<ArrayBuffer> } | { readonly needed: number }

function readBody(rest: Buffer<ArrayBuffer>, head: { status: number; toHead: boolean; ended: boolean; field: RawResponse['field'] }): Framed {
  if (head.toHead || head.status === 204 || head.status === 304) return { body: Buffer.alloc(0), rest }
  if (head.field('transfer-encoding')?.toLowerCase() === 'chunked') return readChunked(rest)
  const declared = head.field('content-length')
  if (declared === undefined) return head.ended ? { body: rest, rest: Buffer.alloc(0) } : { needed: rest.length + 1 }
  const length = Number(declared)
  return rest.length < length ? { needed: length } : { body: rest.subarray(0, length), rest: rest.subarray(length) }
}

function readChunked(bytes: Buffer<ArrayBuffer>): Framed {
  const parts: Buffer[] = []
  for (let at = 0; ; ) {
    const lineEnd = bytes.indexOf('\r\n', at)
    if (lineEnd < 0) return { needed: bytes.length + 1 }
    const size = Number.parseInt(bytes.subarray(at, lineEnd).toString('latin1'), 16)
    const start = lineEnd + 2
    if (size === 0) {
      // No trailers are sent by what is tested here: the empty line follows at once.
      return bytes.length < start + 2 ? { needed: start + 2 } : { body: Buffer.concat(parts), rest: bytes.subarray(start + 2) }
    }
    if (bytes.length < start + size + 2) return { needed: start + size + 2 }
    parts.push(bytes.subarray(start, start + size))
    at = start + size + 2
  }
}
