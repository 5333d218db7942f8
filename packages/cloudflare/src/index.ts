/** Idempotency stores for Cloudflare Workers: a Durable Object or D1, and KV as a replay cache in front of them. */
export type { D1DatabaseLike, D1ResultLike, D1StatementLike } from './d1/database.js'
export { d1Store, type D1StoreOptions } from './d1/store.js'
export { IdempotencyObject } from './durable-object/object.js'
export { durableObjectStore, type DurableObjectStoreOptions } from './durable-object/store.js'
export type { ObjectNamespaceLike } from './durable-object/stub.js'
export { kvReplayCache, type KvReplayCacheOptions } from './kv/replay-cache.js'
export type { KvNamespaceLike } from './kv/namespace.js'
