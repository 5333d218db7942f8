import { redisStore } from '@hopwise/redis'
import { Redis } from 'ioredis'
import type { Backend, BackendAddress } from './backend.js'

/** Redis by ioredis. The effect is a counter of its own, as good as any service outside. */
export function openRedis({ port }: BackendAddress): Backend {
  const client = new Redis({ host: '127.0.0.1', port, retryStrategy: () => 100, maxRetriesPerRequest: null })
  // The store's operations reject by themselves; without a listener each reconnect would be printed.
  client.on('error', () => {})
  return {
    store: redisStore({ ioredis: client }),
    mode: 'leased',
    effect: async (key) => void (await client.hincrby('effects', key, 1)),
    effects: async () => new Map(Object.entries(await client.hgetall('effects')).map(([key, count]) => [key, Number(count)])),
    close: async () => client.disconnect(),
  }
}
