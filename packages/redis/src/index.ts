/** An idempotency store on Redis or Valkey, for any number of processes and machines. */
export type { IoredisClient, IoredisSubscriber, NodeRedisClient, NodeRedisCluster, NodeRedisSubscriber, SendCommand } from './clients.js'
export type { RedisStoreOptions, WaitReplicas } from './options.js'
export { redisStore } from './redis-store.js'
