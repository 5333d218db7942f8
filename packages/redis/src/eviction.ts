import type { Connection } from './clients.js'
import { textOf } from './reply.js'

/**
 * Looks, once and beside the operations, whether Redis may throw keys away when its memory is full: then a request whose
 * key is gone runs again. Says nothing where Redis does not tell.
 */
export function evictionCheck({ send }: Connection, onWarning: (message: string) => void): (key: string) => void {
  let done = false
  const look = async (key: string): Promise<void> => {
    try {
      // INFO and not CONFIG GET, which managed services forbid.
      const policy = /^maxmemory_policy:(\S+)/m.exec(textOf(await send(['INFO', 'memory'], key)))?.[1]
      if (policy !== undefined && policy !== 'noeviction') onWarning(warning(policy))
    } catch {
      // Not allowed, or no connection any more: it was only a look.
    }
  }
  return (key) => {
    if (done) return
    done = true
    void look(key)
  }
}

function warning(policy: string): string {
  return `redisStore: Redis has maxmemory-policy ${policy}: when its memory is full it throws idempotency keys away before their time, and their requests then run twice; use a Redis with maxmemory-policy noeviction for them`
}
