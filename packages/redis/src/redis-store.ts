import { HopwiseError, type Claim, type IdempotencyStore } from '@hopwise/core'
import { evictionCheck } from './eviction.js'
import { readRedisStoreOptions, type RedisStoreOptions } from './options.js'
import { writeResponse } from './record.js'
import { countOf, readClaim, readHeld } from './reply.js'
import { scriptRunner } from './run-script.js'
import { claimScript, completeScript, releaseScript, renewScript, savePhaseScript, type Script } from './scripts.js'
import { watchOver } from './watchers.js'

/**
 * A store on Redis 6.2 or later, or Valkey: for any number of processes and machines. Each operation is one Lua script on
 * one key, so it is one step and one round trip, also in a cluster, and Redis's clock decides. Redis expires the records by
 * itself: `sweep` gives 0.
 *
 * The store opens and closes no connection. An operation takes as long as the client takes: the engine's `storeDeadline`
 * bounds the waiting.
 *
 * @throws HopwiseError `option-unknown`, `option-invalid`. An operation rejects with what the client rejects with;
 * with `store-unusable` where too few replicas have a write (`waitReplicas`) or a reply is not one of Redis
 *
 * @example
 * const store = redisStore({ ioredis: new Redis(url), subscriber: new Redis(url) })
 */
export function redisStore(options: RedisStoreOptions): IdempotencyStore {
  const { connection, prefix, notify, subscriber, waitReplicas, onWarning } = readRedisStoreOptions(options)
  const runScript = scriptRunner(connection)
  const checkEviction = evictionCheck(connection, onWarning)
  const watch = subscriber && watchOver(subscriber)
  const nameOf = (key: string): string => prefix + key
  /** The key's own name, which no other key has; the names of channels and of keys do not meet. */
  const channelOf = (key: string): string => (notify ? nameOf(key) : '')

  const run = async (script: Script, key: string, args: readonly (string | number)[]): Promise<unknown> => {
    const reply = await runScript(script, nameOf(key), args.map(String))
    checkEviction(nameOf(key))
    return reply
  }
  const runHeld = async (script: Script, { key, owner, fence }: Claim, args: readonly (string | number)[]): Promise<boolean> =>
    readHeld(await run(script, key, [owner, fence, ...args]))
  const release = (claim: Claim): Promise<boolean> => runHeld(releaseScript, claim, [newMark(), channelOf(claim.key)])

  const demandReplicas = async (key: string): Promise<void> => {
    if (waitReplicas === undefined) return
    const { count, timeout } = waitReplicas
    const reached = countOf(await connection.wait(nameOf(key), count, timeout))
    if (reached < count) {
      throw new HopwiseError('store-unusable', `redisStore: after ${timeout} ms, ${reached} of ${count} replicas have the write (waitReplicas)`)
    }
  }

  return {
    async claim({ key, owner, fingerprint, lease, retention, expired }) {
      const { result, taken } = readClaim(await run(claimScript, key, [owner, fingerprint, lease, retention, expired]))
      if (result.kind !== 'claimed') return result
      try {
        await demandReplicas(key)
      } catch (error) {
        // Nothing ran yet: the key is given back. Not one that was taken over, since what ran before would be forgotten.
        if (!taken) await release({ key, owner, fence: result.fence }).catch(() => {})
        throw error
      }
      return result
    },
    async complete(claim, response, retention) {
      const held = await runHeld(completeScript, claim, [writeResponse(response, newMark()), retention, channelOf(claim.key)])
      if (held) await demandReplicas(claim.key)
      return held
    },
    renew: (claim, lease) => runHeld(renewScript, claim, [lease]),
    release,
    async savePhase(claim, name, value) {
      const held = await runHeld(savePhaseScript, claim, [name, value])
      if (held) await demandReplicas(claim.key)
      return held
    },
    sweep: async () => 0,
    ...(watch !== undefined && { watch: (key, wake) => watch(nameOf(key), wake) }),
  }
}

/** Told from others on the same key by chance: 48 bits will do. */
function newMark(): string {
  return Math.random().toString(36).slice(2, 12)
}
