import type { Exchange } from './platform.js'

/**
 * Fastify keeps a response's fields until it writes its header. Puts those that are there already on Node's response, as
 * Express does, for an answer that is written in the handler's place: CORS, security headers. Gives what takes them away
 * again before the handler runs.
 */
export function showPendingFields({ response, reply }: Exchange): () => void {
  if (reply === undefined) return () => {}
  const shown = Object.entries(reply.getHeaders()).filter(([name]) => !response.hasHeader(name))
  for (const [name, value] of shown) if (value !== undefined) response.setHeader(name, value)
  return () => {
    for (const [name] of shown) response.removeHeader(name)
  }
}
