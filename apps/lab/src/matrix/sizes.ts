/** How long the slow handler takes. */
export const slowMs = 600

/** Bytes of the response for the slow reader: more than all socket buffers. */
export const bigBytes = 20_000_000

/** That response's body, as a stream would bring it. */
export function* bigBody(): Generator<Buffer> {
  const chunk = Buffer.alloc(100_000, 'x')
  for (let sent = 0; sent < bigBytes; sent += chunk.length) yield chunk
}
