import { functionField, HopwiseError, integerField, parseOptions, valueField, type IdempotencyStore } from '@hopwise/core'
import { demandBinding, kindOf } from '../binding.js'
import { shardsByHash, type ShardOf } from './shards.js'
import { stubOf, type IdempotencyStub, type ObjectNamespaceLike } from './stub.js'

/** The options of {@link durableObjectStore}. */
export interface DurableObjectStoreOptions {
  /** The binding of `IdempotencyObject`: `env.NAME`. `env.NAME.jurisdiction('eu')` keeps the records in the EU. */
  readonly namespace: ObjectNamespaceLike
  /**
   * Over how many objects keys are spread by their hash. One object does some hundred requests a second. A key is looked for
   * where the number says: change it only where no key that is alive matters. Range 1 to 65,536. [16]
   */
  readonly shards?: number
  /**
   * Instead of `shards`: the name of the object that holds a key, 1 to 512 characters, always the same for the same key. A
   * store made for one request may name the object after its principal. Objects are not removed: name a bounded number.
   */
  readonly shard?: ShardOf
}

/**
 * A store in SQLite-backed Durable Objects: for a Worker in all its places, with one owner for each key. Each operation is
 * one call of one object, decided by the object's clock.
 *
 * It keeps no stub and no state of a request, so that it may be made once, at the top of the Worker's module
 * (`import { env } from 'cloudflare:workers'`). `sweep` looks at one object a call, in turn, and at none where `shard` is
 * given; the objects sweep themselves by alarms.
 *
 * @throws HopwiseError `option-unknown`, `option-invalid`: also for a binding that is missing or of another kind. An
 * operation rejects with what the object rejects with
 *
 * @example
 * export { IdempotencyObject } from '@hopwise/cloudflare'
 * const store = durableObjectStore({ namespace: env.IDEMPOTENCY })
 */
export function durableObjectStore(options: DurableObjectStoreOptions): IdempotencyStore {
  const { namespace, shardOf, nextToSweep } = readOptions(options)
  const objectFor = (key: string): IdempotencyStub => stubOf(namespace, nameFor(shardOf, key))

  return {
    claim: async (request) => objectFor(request.key).claim(request),
    complete: async (claim, response, retention) => objectFor(claim.key).complete(claim, response, retention),
    renew: async (claim, lease) => objectFor(claim.key).renew(claim, lease),
    release: async (claim) => objectFor(claim.key).release(claim),
    savePhase: async (claim, name, value) => objectFor(claim.key).savePhase(claim, name, value),
    async sweep(limit) {
      const name = nextToSweep?.()
      return name === undefined ? 0 : stubOf(namespace, name).sweep(limit)
    },
    async watch(key, wake) {
      let stopped = false
      const waiter = await objectFor(key).watch(key, () => {
        if (!stopped) wake()
      })
      return () => {
        if (stopped) return
        stopped = true
        waiter[Symbol.dispose]()
      }
    },
  }
}

function readOptions(options: DurableObjectStoreOptions) {
  const owner = 'durableObjectStore'
  demandBinding(owner, options, 'namespace', 'object')
  const { namespace, shards, shard } = parseOptions(owner, options, {
    namespace: { ...valueField<ObjectNamespaceLike>('a Durable Object namespace', (value) => kindOf(value) === 'object'), required: true as const },
    shards: integerField({ min: 1, max: 65_536 }),
    shard: functionField<ShardOf>('a function that gives the name of an object for a key'),
  })
  if (shard !== undefined) {
    if (shards === undefined) return { namespace, shardOf: shard }
    throw new HopwiseError('option-invalid', `${owner}: options "shards" and "shard" are both given; allowed: one of them`)
  }
  const count = shards ?? 16
  const { shardOf, nameOf } = shardsByHash(count)
  let next: number | undefined
  const nextToSweep = (): string => {
    // Not at once: a Worker has no random numbers before its first request. Each isolate begins with another object.
    next = ((next ?? Math.floor(Math.random() * count)) + 1) % count
    return nameOf(next)
  }
  return { namespace, shardOf, nextToSweep }
}

function nameFor(shardOf: ShardOf, key: string): string {
  const name: unknown = shardOf(key)
  if (typeof name === 'string' && name.length >= 1 && name.length <= 512) return name
  throw new HopwiseError('option-invalid', 'durableObjectStore: option "shard" gave no text of 1 to 512 characters')
}
