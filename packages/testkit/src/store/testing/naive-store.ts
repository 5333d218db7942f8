import type { Claim, Duration, IdempotencyStore, StoredResponse } from '@hopwise/core'

/** What a store may get wrong. */
export interface Flaws {
  readonly awaitsBetweenReadAndWrite?: boolean
  readonly anybodyMayComplete?: boolean
  readonly checksOnlyOwner?: boolean
  readonly checksOnlyFence?: boolean
  readonly doneMayBeCompleted?: boolean
  readonly leaseBindsItsHolder?: boolean
  readonly anybodyMayRenewAndRelease?: boolean
  readonly neverForgets?: boolean
  readonly ignoresFingerprint?: boolean
  readonly pendingBeforeMismatch?: boolean
  readonly oneKeyForAll?: boolean
  readonly bodyAsText?: boolean
  readonly emptyBodyIsNone?: boolean
  readonly fieldsAsObject?: boolean
  readonly neverTakesOver?: boolean
  readonly alwaysTakesOver?: boolean
  readonly releaseForgetsFence?: boolean
  readonly releaseKeepsFingerprint?: boolean
  readonly renewIgnoresRetention?: boolean
  readonly retentionFromClaim?: boolean
  readonly sweepsAll?: boolean
  readonly sweepIgnoresLimit?: boolean
  readonly leaseLeftOfCaller?: boolean
  readonly renewAddsUp?: boolean
  readonly wholeBuffer?: boolean
  readonly keepsGivenBytes?: boolean
  readonly givesKeptBytes?: boolean
  readonly forgetsRequestId?: boolean
  readonly forgetsPhases?: boolean
  readonly takeoverLosesPhases?: boolean
  readonly keepsPhasesAfterRelease?: boolean
  readonly anybodyMaySavePhases?: boolean
  readonly doneMaySavePhases?: boolean
  readonly leaseBindsPhases?: boolean
  readonly onePhaseOnly?: boolean
  readonly firstPhaseStays?: boolean
  readonly parsesPhases?: boolean
  readonly phasesBySetter?: boolean
  readonly phaseNamesInLowerCase?: boolean
  readonly awaitsBetweenReadAndSave?: boolean
  readonly watchIsLate?: boolean
  readonly neverWakes?: boolean
  readonly sleepsThroughRelease?: boolean
  readonly wakesOneOnly?: boolean
  readonly stopDoesNothing?: boolean
  readonly stopStopsAll?: boolean
  readonly watchersBySet?: boolean
  readonly watchesOnlyItself?: boolean
}

/** What the handles of one store share. */
export interface NaiveData {
  readonly rows: Map<string, Row>
  readonly watchers: Map<string, Watch[]>
}

/** Data of a new store. */
export function naiveData(): NaiveData {
  return { rows: new Map(), watchers: new Map() }
}

interface Row {
  state: 'pending' | 'released' | 'done'
  fence: number
  owner: string
  fingerprint: string
  leaseUntil: number
  expiresAt: number
  response?: StoredResponse
  phases: Readonly<Record<string, string>>
}

interface Watch {
  readonly wake: () => void
}

/** The plainest store that meets the contract, but for its flaws. `now` gives milliseconds; another handle has the same `data`. */
export function naiveStore(flaws: Flaws, now: () => number, { rows, watchers }: NaiveData = naiveData()): IdempotencyStore {
  const at = (key: string) => (flaws.oneKeyForAll ? 'key' : key)
  const live = (row: Row | undefined) => (row !== undefined && (flaws.neverForgets || row.expiresAt > now()) ? row : undefined)
  const held = (claim: Claim, anybody: boolean | undefined) => {
    const row = live(rows.get(at(claim.key)))
    if (row === undefined || row.state === 'released' || (row.state === 'done' && !flaws.doneMayBeCompleted)) return undefined
    if (flaws.leaseBindsItsHolder && row.leaseUntil <= now()) return undefined
    const owns = flaws.checksOnlyFence || row.owner === claim.owner
    const fenced = flaws.checksOnlyOwner || row.fence === claim.fence
    return anybody || (owns && fenced) ? row : undefined
  }
  const kept = (response: StoredResponse): StoredResponse => ({
    ...response,
    body: response.body === null ? null : keptBody(response.body),
    requestId: flaws.forgetsRequestId ? undefined : response.requestId,
    fields: flaws.fieldsAsObject ? Object.entries(Object.fromEntries(response.fields)) : response.fields,
  })

  const saver = (claim: Claim): Row | undefined => {
    if (flaws.doneMaySavePhases && rows.get(claim.key)?.state === 'done') return rows.get(claim.key)
    const row = held(claim, flaws.anybodyMaySavePhases)
    return flaws.leaseBindsPhases && row !== undefined && row.leaseUntil <= now() ? undefined : row
  }
  const withPhase = (before: Row['phases'], given: string, text: string): Row['phases'] => {
    const name = flaws.phaseNamesInLowerCase ? given.toLowerCase() : given
    const value = flaws.parsesPhases ? JSON.stringify(JSON.parse(text)) : text
    if (flaws.firstPhaseStays && Object.hasOwn(before, name)) return before
    if (flaws.phasesBySetter) {
      const phases: Record<string, string> = { ...before }
      phases[name] = value
      return phases
    }
    return { ...(!flaws.onePhaseOnly && before), [name]: value }
  }
  const own = new Map<string, Watch[]>()
  const watchersOf = (key: string): Watch[] => {
    const lists = flaws.watchesOnlyItself ? own : watchers
    const list = lists.get(key) ?? []
    lists.set(key, list)
    return list
  }
  const wakeAll = (key: string): void => {
    if (flaws.neverWakes) return
    for (const { wake } of watchersOf(key).slice(0, flaws.wakesOneOnly ? 1 : undefined)) wake()
  }
  const keptBody = (body: Uint8Array): Uint8Array | null => {
    if (flaws.emptyBodyIsNone && body.length === 0) return null
    if (flaws.keepsGivenBytes) return body
    if (flaws.wholeBuffer) return new Uint8Array(body.buffer.slice(0))
    return flaws.bodyAsText ? new TextEncoder().encode(new TextDecoder().decode(body)) : body.slice()
  }

  return {
    async claim({ key, owner, fingerprint, lease, retention, expired }) {
      const row = live(rows.get(at(key)))
      if (row !== undefined && (row.state !== 'released' || flaws.releaseKeepsFingerprint)) {
        const pending = { kind: 'pending', leaseLeft: flaws.leaseLeftOfCaller ? lease : ((row.leaseUntil - now()) as Duration) } as const
        const isHeld = row.state === 'pending' && (row.leaseUntil > now() || flaws.neverTakesOver === true)
        if (flaws.pendingBeforeMismatch && isHeld) return pending
        if (row.fingerprint !== fingerprint && !flaws.ignoresFingerprint) return { kind: 'mismatch' }
        if (row.response !== undefined) return { kind: 'done', response: flaws.givesKeptBytes ? row.response : copyOf(row.response) }
        if (isHeld) return pending
        if (row.state === 'pending' && expired !== 'take' && expired !== row.fence && !flaws.alwaysTakesOver) return { kind: 'expired', fence: row.fence }
      }
      if (flaws.awaitsBetweenReadAndWrite) await new Promise((resolve) => setImmediate(resolve))
      const fence = (row?.fence ?? 0) + 1
      const phases = row === undefined || flaws.takeoverLosesPhases ? {} : row.phases
      rows.set(at(key), { state: 'pending', fence, owner, fingerprint, phases, leaseUntil: now() + lease, expiresAt: now() + Math.max(lease, retention) })
      // The text of the phases is what is kept, not the object.
      return { kind: 'claimed', fence, phases: JSON.parse(JSON.stringify(row?.phases ?? {})) }
    },
    async complete(claim, response, retention) {
      const row = held(claim, flaws.anybodyMayComplete)
      if (row === undefined) return false
      rows.set(at(claim.key), { ...row, state: 'done', response: kept(response), expiresAt: flaws.retentionFromClaim ? row.expiresAt : now() + retention })
      wakeAll(claim.key)
      return true
    },
    async renew(claim, lease) {
      const row = held(claim, flaws.anybodyMayRenewAndRelease)
      if (row === undefined) return false
      row.leaseUntil = (flaws.renewAddsUp ? row.leaseUntil : now()) + lease
      if (!flaws.renewIgnoresRetention) row.expiresAt = Math.max(row.expiresAt, row.leaseUntil)
      return true
    },
    async release(claim) {
      const row = held(claim, flaws.anybodyMayRenewAndRelease)
      if (row === undefined) return false
      if (flaws.releaseForgetsFence) rows.delete(at(claim.key))
      else row.state = 'released'
      if (!flaws.keepsPhasesAfterRelease) row.phases = {}
      if (!flaws.sleepsThroughRelease) wakeAll(claim.key)
      return true
    },
    async savePhase(claim, name, value) {
      const row = saver(claim)
      if (row === undefined) return false
      const before = row.phases
      if (flaws.awaitsBetweenReadAndSave) await new Promise((resolve) => setImmediate(resolve))
      if (!flaws.forgetsPhases) row.phases = withPhase(before, name, value)
      return true
    },
    async sweep(limit) {
      const over = [...rows].filter(([, row]) => flaws.sweepsAll || row.expiresAt <= now()).slice(0, flaws.sweepIgnoresLimit ? undefined : limit)
      for (const [key] of over) rows.delete(key)
      return over.length
    },
    async watch(key, wake) {
      const watch: Watch = { wake }
      const all = (): Watch[] => watchersOf(key)
      const isThere = () => flaws.watchersBySet && all().some((each) => each.wake === wake)
      const start = (): void => void (isThere() || all().push(watch))
      if (flaws.watchIsLate) setImmediate(start)
      else start()
      return () => {
        if (flaws.stopDoesNothing) return
        if (flaws.stopStopsAll) all().splice(0)
        const index = all().findIndex((each) => (flaws.watchersBySet ? each.wake === wake : each === watch))
        if (index >= 0) all().splice(index, 1)
      }
    },
  }
}

function copyOf(response: StoredResponse): StoredResponse {
  return { ...response, body: response.body?.slice() ?? null }
}
