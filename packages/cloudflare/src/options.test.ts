import { createIdempotency, memoryStore, type Duration } from '@hopwise/core'
import { describe, expect, test } from 'vitest'
import { env } from './testing/env.js'
import { d1Store, durableObjectStore, kvReplayCache } from './index.js'

const refused = (message: string, code = 'option-invalid') => expect.objectContaining({ code, message: expect.stringContaining(message) })

function thrownBy(work: () => unknown): unknown {
  try {
    return work()
  } catch (error) {
    return error
  }
}

describe('a binding of the wrong kind is a type error, and an error at start that says what was given and what is allowed', () => {
  test('where a Durable Object namespace is needed', () => {
    const allowed = 'allowed: a Durable Object namespace, env.NAME of [[durable_objects.bindings]] in wrangler.toml'
    // @ts-expect-error KV holds no claims.
    expect(thrownBy(() => durableObjectStore({ namespace: env.CACHE }))).toEqual(refused(`durableObjectStore: option "namespace" is a KV namespace; ${allowed}. KV has no atomic write`))
    // @ts-expect-error D1 has a store of its own.
    expect(thrownBy(() => durableObjectStore({ namespace: env.DATABASE }))).toEqual(refused(`option "namespace" is a D1 database; ${allowed}`))
    // @ts-expect-error A missing binding.
    expect(thrownBy(() => durableObjectStore({ namespace: undefined }))).toEqual(refused(`option "namespace" is undefined; ${allowed}; is the binding there`))
    // @ts-expect-error No options at all.
    expect(thrownBy(() => durableObjectStore())).toEqual(refused('option "namespace" is undefined'))
    // @ts-expect-error One object, of which any method could be called.
    expect(thrownBy(() => durableObjectStore({ namespace: env.KEYS.get(env.KEYS.idFromName('one')) }))).toEqual(refused('option "namespace" is an object of DurableObject'))
    // @ts-expect-error A bucket.
    expect(thrownBy(() => durableObjectStore({ namespace: env.BUCKET }))).toEqual(refused('option "namespace" is an object of R2Bucket'))
  })

  test('where a D1 database is needed', () => {
    const allowed = 'allowed: a D1 database, env.NAME of [[d1_databases]] in wrangler.toml'
    // @ts-expect-error KV holds no claims.
    expect(thrownBy(() => d1Store({ database: env.CACHE }))).toEqual(refused(`d1Store: option "database" is a KV namespace; ${allowed}. KV has no atomic write`))
    // @ts-expect-error A Durable Object has a store of its own.
    expect(thrownBy(() => d1Store({ database: env.KEYS }))).toEqual(refused(`option "database" is a Durable Object namespace; ${allowed}`))
    // @ts-expect-error A missing binding.
    expect(thrownBy(() => d1Store({ database: undefined }))).toEqual(refused(`option "database" is undefined; ${allowed}; is the binding there`))
    // @ts-expect-error A session may read from a replica.
    expect(thrownBy(() => d1Store({ database: env.DATABASE.withSession('first-unconstrained') }))).toEqual(refused('option "database" is an object of D1DatabaseSession'))
  })

  test('where a KV namespace and a claim store are needed', () => {
    const store = durableObjectStore({ namespace: env.KEYS })
    // @ts-expect-error The other way round.
    expect(thrownBy(() => kvReplayCache({ namespace: env.KEYS, store }))).toEqual(refused('kvReplayCache: option "namespace" is a Durable Object namespace; allowed: a KV namespace, env.NAME of [[kv_namespaces]]'))
    // @ts-expect-error A missing binding.
    expect(thrownBy(() => kvReplayCache({ namespace: undefined, store }))).toEqual(refused('option "namespace" is undefined'))
    // @ts-expect-error KV holds no claims.
    expect(thrownBy(() => kvReplayCache({ namespace: env.CACHE, store: env.CACHE }))).toEqual(refused('option "store" is a KV namespace; allowed: a claim store with leases, such as durableObjectStore() or d1Store(). KV has no atomic write'))
    // @ts-expect-error A binding is no store yet.
    expect(thrownBy(() => kvReplayCache({ namespace: env.CACHE, store: env.DATABASE }))).toEqual(refused('option "store" is a D1 database'))
    // @ts-expect-error A cache in front of nothing.
    expect(thrownBy(() => kvReplayCache({ namespace: env.CACHE }))).toEqual(refused('option "store" is undefined'))
    const transactional = { ...memoryStore(), transactional: { waitsAtMost: 1 as Duration } }
    expect(thrownBy(() => kvReplayCache({ namespace: env.CACHE, store: transactional }))).toEqual(refused('allowed: a claim store with leases'))
  })

  test('where the engine needs a store', () => {
    // @ts-expect-error KV holds no claims.
    expect(thrownBy(() => createIdempotency({ store: env.CACHE, scope: 'global' }))).toEqual(refused('option "store"'))
  })
})

describe('options', () => {
  test.each<[string, () => unknown, string, string?]>([
    ['an unknown one', () => durableObjectStore({ namespace: env.KEYS, shard_count: 2 } as never), 'unknown option "shard_count"; allowed: namespace, shards, shard', 'option-unknown'],
    ['no shards', () => durableObjectStore({ namespace: env.KEYS, shards: 0 }), 'option "shards" is 0; allowed: a whole number from 1 to 65536'],
    ['too many shards', () => durableObjectStore({ namespace: env.KEYS, shards: 65_537 }), 'option "shards" is 65537'],
    ['a shard that is no function', () => durableObjectStore({ namespace: env.KEYS, shard: 'one' as never }), 'option "shard" is "one"; allowed: a function'],
    ['shards and shard', () => durableObjectStore({ namespace: env.KEYS, shards: 2, shard: () => 'one' }), 'options "shards" and "shard" are both given'],
    ['an unknown one of D1', () => d1Store({ database: env.DATABASE, name: 'keys' } as never), 'd1Store: unknown option "name"; allowed: database, table', 'option-unknown'],
    ['a table with a quote', () => d1Store({ database: env.DATABASE, table: 'a"b' }), 'option "table" is'],
    ['an unknown one of KV', () => kvReplayCache({ namespace: env.CACHE, store: memoryStore(), ttl: 1 } as never), 'unknown option "ttl"', 'option-unknown'],
    ['no time for reading', () => kvReplayCache({ namespace: env.CACHE, store: memoryStore(), readWithin: 0 }), 'option "readWithin" is 0; allowed'],
  ])('%s: refused', (_what, make, message, code) => {
    expect(thrownBy(make)).toEqual(refused(message, code))
  })
})
