/** How a lent store is asked and answers: a line of JSON, and after it the bytes of the one body that may be in it. */

/** What a lent store can be asked. It has no `watch`: whoever waits polls. */
export const lentOperations = ['claim', 'complete', 'renew', 'savePhase', 'release', 'sweep'] as const

const lineEnd = 0x0a

/** Writes what an operation is given, or gives. */
export function encode(value: unknown): Uint8Array<ArrayBuffer> {
  let body: Uint8Array = new Uint8Array()
  const line = JSON.stringify(value, function (this: Record<string, unknown>, name: string, changed: unknown): unknown {
    // As it was before the `toJSON` that a Buffer has.
    const given = this[name]
    if (!(given instanceof Uint8Array)) return changed
    body = given
    return { follows: true }
  })
  const head = new TextEncoder().encode(`${line}\n`)
  const bytes = new Uint8Array(head.length + body.length)
  bytes.set(head)
  bytes.set(body, head.length)
  return bytes
}

/** Reads what {@link encode} wrote. */
export function decode(bytes: Uint8Array): unknown {
  const end = bytes.indexOf(lineEnd)
  const isBody = (name: string, value: unknown): boolean => name === 'body' && (value as { follows?: unknown } | null)?.follows === true
  return JSON.parse(new TextDecoder().decode(bytes.subarray(0, end)), (name: string, value: unknown) => (isBody(name, value) ? bytes.slice(end + 1) : value))
}
