import { d1Store, durableObjectStore, kvReplayCache, type IdempotencyObject } from '@hopwise/cloudflare'
import { createIdempotency, type IdempotencyStore } from '@hopwise/core'

export { IdempotencyObject } from '@hopwise/cloudflare'

interface Env {
  readonly KEYS: DurableObjectNamespace<IdempotencyObject>
  readonly ANY_OBJECT: DurableObjectNamespace
  readonly DATABASE: D1Database
  readonly REPLAYS: KVNamespace
}

export function storesOf(env: Env): IdempotencyStore[] {
  const store = durableObjectStore({ namespace: env.KEYS, shards: 4 })
  return [store, durableObjectStore({ namespace: env.ANY_OBJECT }), d1Store({ database: env.DATABASE }), kvReplayCache({ namespace: env.REPLAYS, store })]
}

export function wrong(env: Env): unknown[] {
  return [
    // @ts-expect-error KV holds no claims.
    createIdempotency({ store: env.REPLAYS, scope: 'global' }),
    // @ts-expect-error KV holds no claims.
    durableObjectStore({ namespace: env.REPLAYS }),
    // @ts-expect-error KV holds no claims.
    d1Store({ database: env.REPLAYS }),
    // @ts-expect-error KV holds no claims.
    kvReplayCache({ namespace: env.REPLAYS, store: env.REPLAYS }),
  ]
}
