import type { Duration } from '../duration.js'
import { integerField, functionField, parseOptions } from '../options.js'
import { ExpiryQueue } from './expiry-queue.js'
import type { Claim, ClaimRequest, ClaimResult, IdempotencyStore, SavedPhases, StoredResponse } from './store.js'

/** The options of {@link memoryStore}. */
export interface MemoryStoreOptions {
  /** How many keys are held at most; a new one beyond it is refused with an error, none is forgotten early. Range 1 to 10,000,000. [100,000] */
  readonly maxEntries?: number
  /** How many bytes of responses are held at most; beyond it a response is kept without its body. Range 0 to 2^40. [64 MiB] */
  readonly maxBytes?: number
  /** Milliseconds on any steady clock. [performance.now] */
  readonly now?: () => number
}

type Record =
  | { readonly state: 'pending'; readonly fence: number; readonly owner: string; readonly fingerprint: string; phases: SavedPhases | undefined; leaseUntil: number; expiresAt: number }
  | { readonly state: 'released'; readonly fence: number; expiresAt: number }
  | { readonly state: 'done'; readonly fence: number; readonly fingerprint: string; readonly response: StoredResponse; readonly bytes: number; expiresAt: number }

/**
 * A store in this process's memory: for one process, for tests, and for effects that die with the process. Two
 * processes behind one load balancer do not see each other's keys, and a restart forgets them all.
 *
 * Bounded: where it is full, `claim` fails (the engine then answers 503), since forgetting a key early would let its
 * request run twice. Records whose retention is over are removed as new ones come.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function memoryStore(options?: MemoryStoreOptions): IdempotencyStore {
  const { maxEntries, maxBytes, now = () => performance.now() } = parseOptions('memoryStore', options, {
    maxEntries: integerField({ min: 1, max: 10_000_000, default: 100_000 }),
    maxBytes: integerField({ min: 0, max: 2 ** 40, default: 64 * 2 ** 20 }),
    now: functionField<() => number>('a function that returns milliseconds'),
  })
  const records = new Map<string, Record>()
  const expiries = new ExpiryQueue(now())
  let bytes = 0

  const remove = (key: string): void => {
    const record = records.get(key)
    if (record?.state === 'done') bytes -= record.bytes
    records.delete(key)
  }
  const put = (key: string, record: Record): void => {
    remove(key)
    if (record.state === 'done') bytes += record.bytes
    records.set(key, record)
    expiries.add(key, record.expiresAt)
  }
  const removeExpired = (keys: readonly string[], time: number): number => {
    let removed = 0
    for (const key of keys) {
      const record = records.get(key)
      if (record === undefined) continue
      if (record.expiresAt > time) {
        expiries.add(key, record.expiresAt)
        continue
      }
      remove(key)
      removed++
    }
    return removed
  }
  /** The pending record that `claim` still holds. */
  const held = (claim: Claim) => {
    const record = records.get(claim.key)
    const holds = record?.state === 'pending' && record.owner === claim.owner && record.fence === claim.fence
    return holds && record.expiresAt > now() ? record : undefined
  }

  const claimNow = (request: ClaimRequest): ClaimResult => {
    const time = now()
    const found = records.get(request.key)
    const record = found !== undefined && found.expiresAt > time ? found : undefined
    if (record !== undefined && record.state !== 'released') {
      if (record.fingerprint !== request.fingerprint) return { kind: 'mismatch' }
      if (record.state === 'done') return { kind: 'done', response: copyOf(record.response) }
      if (record.leaseUntil > time) return { kind: 'pending', leaseLeft: Math.ceil(record.leaseUntil - time) as Duration }
      if (request.expired !== 'take' && request.expired !== record.fence) return { kind: 'expired', fence: record.fence }
    }
    if (found === undefined) {
      // Two for each new one: what has expired is gone sooner than new keys come.
      removeExpired(expiries.takeDue(time, 2), time)
      while (records.size >= maxEntries) {
        const due = expiries.takeDue(time, 64)
        if (due.length === 0) throw new Error(`the memory store is full: ${maxEntries} keys are in use`)
        removeExpired(due, time)
      }
    }
    const fence = (record?.fence ?? 0) + 1
    const phases = record?.state === 'pending' ? record.phases : undefined
    put(request.key, {
      state: 'pending',
      fence,
      owner: request.owner,
      fingerprint: request.fingerprint,
      phases,
      leaseUntil: time + request.lease,
      expiresAt: time + Math.max(request.retention, request.lease),
    })
    return { kind: 'claimed', fence, ...(phases !== undefined && { phases }) }
  }

  return {
    claim: async (request) => claimNow(request),
    async complete(claim, response, retention) {
      const record = held(claim)
      if (record === undefined) return false
      const size = response.body?.length ?? 0
      const kept = bytes + size <= maxBytes
      put(claim.key, {
        state: 'done',
        fence: claim.fence,
        fingerprint: record.fingerprint,
        response: kept ? copyOf(response) : { ...response, body: null },
        bytes: kept ? size : 0,
        expiresAt: now() + retention,
      })
      return true
    },
    async renew(claim, lease) {
      const record = held(claim)
      if (record === undefined) return false
      record.leaseUntil = now() + lease
      // The record must outlive its lease, or a handler that runs on would lose its key to a second one.
      record.expiresAt = Math.max(record.expiresAt, record.leaseUntil)
      return true
    },
    async savePhase(claim, name, value) {
      const record = held(claim)
      if (record === undefined) return false
      record.phases = { ...record.phases, [name]: value }
      return true
    },
    async release(claim) {
      const record = held(claim)
      if (record === undefined) return false
      put(claim.key, { state: 'released', fence: claim.fence, expiresAt: record.expiresAt })
      return true
    },
    async sweep(limit) {
      const time = now()
      return removeExpired(expiries.takeDue(time, limit), time)
    },
  }
}

/** By value, as a store over a network would have it: a buffer that is reused or transferred later changes no record. */
function copyOf(response: StoredResponse): StoredResponse {
  return { ...response, body: response.body && new Uint8Array(response.body) }
}
