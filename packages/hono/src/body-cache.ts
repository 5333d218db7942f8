import type { HonoRequest } from 'hono'

/**
 * The bytes of a body that a validator or other middleware has read through `c.req`, which keeps it: all who read it later
 * get what is kept. Of a text these are its bytes in UTF-8. `undefined` where nobody has read it, or it is kept as form
 * data alone, whose bytes cannot be told any more.
 */
export async function bytesReadBefore({ bodyCache: { arrayBuffer, blob, text } }: HonoRequest): Promise<Uint8Array<ArrayBuffer> | undefined> {
  // Promises, whatever their types say.
  const kept = await (arrayBuffer ?? blob ?? text)
  return kept === undefined ? undefined : new Uint8Array(await new Response(kept).arrayBuffer())
}
