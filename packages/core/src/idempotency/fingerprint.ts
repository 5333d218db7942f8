import { digest } from './digest.js'
import type { Incoming } from './incoming.js'

/**
 * What makes two requests with one key the same: SHA-256 over the method, the target (path and query), the content
 * type and the raw bytes of the body. The same JSON written in another order is another request.
 */
export function fingerprint(incoming: Incoming<unknown>, body: Uint8Array): Promise<string> {
  return digest([incoming.method, incoming.target, incoming.field('content-type').join(', ')], body)
}
