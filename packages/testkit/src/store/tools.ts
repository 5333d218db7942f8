import type { Claim, ClaimRequest, ClaimResult, Duration, IdempotencyStore, SavedPhases, StoredResponse } from '@hopwise/core'
import type { ContractClock, StoreUnderTest } from './contract.js'
import { equal } from './expect.js'

/** What a case may say of a claim; times in units of the clock. */
interface RequestOptions {
  /** A key of its own, unless given. */
  readonly key?: string
  /** ['1' × 64] */
  readonly fingerprint?: string
  /** [30] */
  readonly lease?: number
  /** [1,000] */
  readonly retention?: number
  /** ['take'] */
  readonly expired?: ClaimRequest['expired']
}

/** What a case works with. */
export interface StoreTools {
  readonly store: IdempotencyStore
  /** The other handle on the same data. */
  readonly second: IdempotencyStore
  /** `count` units of the clock, in milliseconds. */
  units(count: number): Duration
  /** Lets `count` units pass. */
  advance(count: number): Promise<void>
  /** What a new owner asks for. */
  request(options?: RequestOptions): ClaimRequest
  /** The same key and fingerprint as `first`, from a new owner. */
  again(first: ClaimRequest, options?: RequestOptions): ClaimRequest
  /** Claims, demands that it succeeds, and gives the claim. */
  hold(request: ClaimRequest, store?: IdempotencyStore): Promise<Claim>
  /** Completes with `response`, kept for 1,000 units, and demands that it succeeds. */
  finish(claim: Claim, response?: StoredResponse): Promise<void>
  /** Watches a key, and gives what tells whether it woke. */
  watch(key: string, through?: IdempotencyStore): Promise<Watcher>
}

/** A watch on one key. */
interface Watcher {
  /** Resolves with the first call; rejects where none comes within `wakesWithin`. */
  woken(): Promise<void>
  /** How many calls there were. */
  count(): number
  stop(): void
}

/** The fingerprint of a request that is not the first one. */
export const otherFingerprint = '2'.repeat(64)

/** A response as plain as they come. */
export const plainResponse: StoredResponse = {
  status: 201,
  fields: [['content-type', 'application/json']],
  body: Uint8Array.of(123, 125),
  requestId: 'request-1',
}

/** A response that cannot be taken for {@link plainResponse}. */
export const otherResponse: StoredResponse = { status: 202, fields: [['x-other', 'yes']], body: Uint8Array.of(1, 2, 3), requestId: 'request-2' }

let keysMade = 0

function newKey(): string {
  return (++keysMade).toString(16).padStart(64, '0')
}

/** Makes the tools for one case. */
export function storeTools({ store, second }: StoreUnderTest, clock: ContractClock, wakesWithin: number): StoreTools {
  const unit = clock.unit ?? 1_000
  const units = (count: number): Duration => Math.round(count * unit) as Duration

  const request = ({ key = newKey(), fingerprint = '1'.repeat(64), lease = 30, retention = 1_000, expired = 'take' }: RequestOptions = {}) => ({
    key,
    owner: crypto.randomUUID(),
    fingerprint,
    lease: units(lease),
    retention: units(retention),
    expired,
  })

  return {
    store,
    get second() {
      if (second === undefined) throw new Error('supports.sharedData is set, but create() gave no "second"')
      return second
    },
    units,
    async advance(count) {
      await clock.advance(units(count))
    },
    request,
    again: ({ key, fingerprint }, options) => request({ key, fingerprint, ...options }),
    async hold(asked, through = store) {
      const { key, owner } = asked
      return { key, owner, fence: claimedFence(await through.claim(asked)) }
    },
    async finish(claim, response = plainResponse) {
      equal(await store.complete(claim, response, units(1_000)), true, 'complete by the holder')
    },
    watch: (key, through = store) => startWatch(through, key, wakesWithin),
  }
}

function claimedFence(result: ClaimResult): number {
  equal(result.kind, 'claimed', 'the claim')
  return result.kind === 'claimed' ? result.fence : 0
}

/** Demands that a claim found the key held, and gives what it heard of the lease, in milliseconds. */
export function leaseLeftOf(result: ClaimResult): number {
  equal(result.kind, 'pending', 'the claim of a held key')
  return result.kind === 'pending' ? result.leaseLeft : 0
}

/** Demands that of all `results` one is claimed with `fence` and the others are pending. */
export function oneWinner(results: readonly ClaimResult[], fence: number): void {
  const count = (kind: ClaimResult['kind']) => results.filter((result) => result.kind === kind).length
  equal({ claimed: count('claimed'), pending: count('pending') }, { claimed: 1, pending: results.length - 1 }, `${results.length} claims at once`)
  for (const result of results) if (result.kind === 'claimed') claimed(result, fence, 'the winner')
}

/** Demands that a claim succeeded with `fence`, and that it found these phases of the run before and no others. */
export function claimed(result: ClaimResult, fence: number, what: string, phases: SavedPhases = {}): void {
  // Without phases, a store may say so or say nothing.
  const found = result.kind === 'claimed' ? { kind: 'claimed', fence: result.fence, phases: result.phases ?? {} } : result
  equal(found, { kind: 'claimed', fence, phases }, what)
}

async function startWatch(store: IdempotencyStore, key: string, wakesWithin: number): Promise<Watcher> {
  if (store.watch === undefined) throw new Error('supports.watch is set, but the store has no "watch"')
  let count = 0
  let first = (): void => {}
  const called = new Promise<void>((resolve) => (first = resolve))
  const stop = await store.watch(key, () => {
    count++
    first()
  })
  return {
    woken() {
      let timer: ReturnType<typeof setTimeout> | undefined
      const late = new Promise<never>((_, reject) => {
        timer = setTimeout(() => reject(new Error(`the watcher: expected a wake-up within ${wakesWithin} ms, got none`)), wakesWithin)
      })
      return Promise.race([called, late]).finally(() => clearTimeout(timer))
    },
    count: () => count,
    stop,
  }
}
