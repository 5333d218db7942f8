import { waitUntil } from 'cloudflare:workers'
import { durationField, HopwiseError, parseOptions, valueField, type Duration, type DurationInput, type IdempotencyStore } from '@hopwise/core'
import { demandBinding, describe, kindOf, whyNotKv } from '../binding.js'
import { readEntry, writeEntry, type Entry } from './entry.js'
import type { KvNamespaceLike } from './namespace.js'
import { Remembered } from './remembered.js'

/** The options of {@link kvReplayCache}. */
export interface KvReplayCacheOptions {
  /** The binding of the namespace, `env.NAME`. It holds results only, never a claim. */
  readonly namespace: KvNamespaceLike
  /** Where the keys live: `durableObjectStore()`, `d1Store()` or another store with leases. Not one that opens transactions. */
  readonly store: IdempotencyStore
  /** How long KV is waited for before its answer counts as a miss. Range 1 ms to 10 s. ['100ms'] */
  readonly readWithin?: DurationInput
}

/** KV takes no shorter time to live. */
const shortestTtl = 60_000

/**
 * A claim store with KV in front of it, from which results are replayed near the caller. KV is eventually consistent, so it
 * never decides who has a key. What it may be asked is what can no longer change: a done record stays what it is until its
 * retention is over, and an entry carries that time and the fingerprint for the mismatch check. Everything else, such as a
 * miss, an entry that is over, or KV in trouble, goes to the claim store.
 *
 * A result is cached after it was stored, in the background, and only where its retention is a minute or longer. KV remembers a
 * miss for up to a minute, so what gains is a retry that comes later than that.
 *
 * @throws HopwiseError `option-unknown`, `option-invalid`: also for a binding that is missing or of another kind, a KV
 * namespace or a transactional store as `store`. An operation rejects with what the claim store rejects with
 *
 * @example
 * const store = kvReplayCache({ namespace: env.REPLAYS, store: durableObjectStore({ namespace: env.IDEMPOTENCY }) })
 */
export function kvReplayCache(options: KvReplayCacheOptions): IdempotencyStore {
  const { namespace, store, readWithin } = readOptions(options)
  const remembered = new Remembered(10_000)

  const cached = async (key: string): Promise<Entry | undefined> => {
    const value = await inTime(() => namespace.get(nameOf(key), 'arrayBuffer'), readWithin)
    const entry = value === undefined || value === null ? undefined : readEntry(value)
    return entry !== undefined && entry.expiresAt > Date.now() ? entry : undefined
  }
  const keep = async (key: string, entry: Entry, retention: Duration): Promise<void> => {
    try {
      await namespace.put(nameOf(key), writeEntry(entry), { expirationTtl: Math.floor(retention / 1_000) })
    } catch {
      // Not cached, so the claim store is asked.
    }
  }

  return {
    async claim(request) {
      const entry = await cached(request.key)
      if (entry !== undefined) return entry.fingerprint === request.fingerprint ? { kind: 'done', response: entry.response } : { kind: 'mismatch' }
      const result = await store.claim(request)
      if (result.kind === 'claimed') remembered.add(request.owner, request.fingerprint)
      return result
    },
    async complete(claim, response, retention) {
      // From before the claim store counts, so that the entry does not outlive the record.
      const expiresAt = Date.now() + retention
      const done = await store.complete(claim, response, retention)
      const fingerprint = remembered.take(claim.owner)
      if (done && fingerprint !== undefined && retention >= shortestTtl) {
        waitUntil(keep(claim.key, { fingerprint, expiresAt, response }, retention))
      }
      return done
    },
    renew: (claim, lease) => store.renew(claim, lease),
    async release(claim) {
      remembered.take(claim.owner)
      return store.release(claim)
    },
    savePhase: (claim, name, value) => store.savePhase(claim, name, value),
    sweep: (limit) => store.sweep(limit),
    ...(store.watch !== undefined && { watch: store.watch.bind(store) }),
  }
}

function readOptions(options: KvReplayCacheOptions) {
  const owner = 'kvReplayCache'
  demandBinding(owner, options, 'namespace', 'kv')
  const given: unknown = options.store
  if (!isClaimStore(given)) {
    const hint = kindOf(given) === 'kv' ? `. ${whyNotKv}` : ''
    throw new HopwiseError('option-invalid', `${owner}: option "store" is ${describe(given)}; allowed: a claim store with leases, such as durableObjectStore() or d1Store()${hint}`)
  }
  return parseOptions(owner, options, {
    namespace: { ...valueField<KvNamespaceLike>('a KV namespace', (value) => kindOf(value) === 'kv'), required: true as const },
    store: { ...valueField<IdempotencyStore>('a claim store with leases', isClaimStore), required: true as const },
    readWithin: durationField({ min: '1ms', max: '10s', default: '100ms' }),
  })
}

function isClaimStore(value: unknown): value is IdempotencyStore {
  if (typeof value !== 'object' || value === null || kindOf(value) !== undefined) return false
  const methods = value as Readonly<Record<string, unknown>>
  const all = ['claim', 'complete', 'renew', 'savePhase', 'release', 'sweep'].every((name) => typeof methods[name] === 'function')
  return all && methods['transactional'] === undefined
}

function nameOf(key: string): string {
  return `hopwise:${key}`
}

/** What comes of `work`, or `undefined` where it fails or takes longer. */
async function inTime<T>(work: () => Promise<T>, limit: Duration): Promise<T | undefined> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<undefined>((resolve) => (timer = setTimeout(resolve, limit, undefined)))
  try {
    return await Promise.race([work(), late])
  } catch {
    return undefined
  } finally {
    clearTimeout(timer ?? null)
  }
}
