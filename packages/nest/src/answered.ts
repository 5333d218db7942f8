import type { Exchange } from './platform.js'

/**
 * For an exchange that is answered: what Nest still writes, which has to come out of its chain with something, goes
 * nowhere.
 */
export function ignoreFurtherAnswer({ response, reply }: Exchange): void {
  if (reply !== undefined) {
    // Fastify would log a warning.
    Object.assign(reply, { send: () => reply })
    return
  }
  const nothing = (): typeof response => response
  Object.assign(response, { setHeader: nothing, appendHeader: nothing, removeHeader: nothing, writeHead: nothing, write: () => true, end: nothing })
}
