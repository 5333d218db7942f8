import type { Duration } from '../duration.js'
import type { Events } from '../events.js'
import { lightTimer, withDeadline } from './deadline.js'
import type { IdempotencyEvents } from './events.js'
import type { IdempotencySettings } from './options.js'
import { refusals } from './refusals.js'
import { replayOf, storableFields } from './replay.js'
import type { Claim, ClaimRequest, StoredResponse } from './store.js'
import type { Outgoing, Settled } from './ticket.js'

/** 408, 425 and 429 say that the request was not processed: the key is free again. Everything else is a result. */
const withoutEffect = new Set([408, 425, 429])

/** Milliseconds before each further try to store a result that could not be stored at first. */
const laterPauses = [200, 800, 3_200]

/** What {@link createSettling} works with. */
export interface SettlingParts {
  readonly settings: IdempotencySettings<never>
  readonly events: Events<IdempotencyEvents>
  readonly request: ClaimRequest
  readonly claim: Claim
  readonly requestId: string | undefined
  /** How long the handler has run. */
  readonly ran: () => Duration
  /** Makes a listener that tells that a store operation failed. */
  readonly failed: (operation: IdempotencyEvents['store-error']['operation']) => (error: unknown) => void
  readonly stopRenewing: () => void
}

/** Makes the end of a run: gives the key back or stores the response, and says what the client gets. Never rejects. */
export function createSettling({ settings, events, request, claim, requestId, ran, failed, stopRenewing }: SettlingParts) {
  const { store, storeDeadline, seal } = settings
  const { key, owner, fence } = claim
  const transactional = store.transactional !== undefined

  const stored = async ({ status, fields, body }: Outgoing): Promise<StoredResponse> => {
    const response = { status, fields: storableFields(fields, settings.neverReplay, requestId), body, requestId }
    return seal === undefined ? response : seal.seal(key, response)
  }

  async function settle(outgoing: Outgoing, released: boolean): Promise<Settled> {
    // Rolled back with its transaction, an error had no effect.
    const free = released || withoutEffect.has(outgoing.status) || (transactional && outgoing.status >= 500)
    if (free) return giveBack(outgoing.status)
    let response: StoredResponse | undefined
    try {
      const made = (response = await stored(outgoing))
      const held = await withDeadline(() => store.complete(claim, made, settings.retention), storeDeadline)
      stopRenewing()
      if (held) return completed(outgoing)
      return transactional ? { kind: 'replace', response: refusals.storeUnavailable() } : await settleLost(outgoing, made)
    } catch (error) {
      failed('complete')(error)
      if (transactional) {
        stopRenewing()
        // Where storing never came to the commit, the transaction is still open, and holds its locks.
        withDeadline(() => store.release(claim), storeDeadline).catch(failed('release'))
        return { kind: 'replace', response: refusals.storeUnavailable() }
      }
      if (response === undefined) stopRenewing()
      else void completeLater(outgoing, response)
      return { kind: 'send' }
    }
  }

  function completed({ status, body }: Outgoing): Settled {
    events.emit('completed', () => ({ key, fence, status, bodyKept: body !== null, ran: ran() }))
    return { kind: 'send' }
  }

  async function giveBack(status: number): Promise<Settled> {
    try {
      const held = await withDeadline(() => store.release(claim), storeDeadline)
      // Without effect, there is nothing that another owner's run could contradict.
      if (held) events.emit('released', () => ({ key, fence, status, ran: ran() }))
      else events.emit('stale-complete', () => ({ key, fence, ran: ran() }))
    } catch (error) {
      failed('release')(error)
    } finally {
      stopRenewing()
    }
    return { kind: 'send' }
  }

  /**
   * The claim is no longer held. Where the store has lost the record (a flush, an eviction, a fail-over), the result
   * still stands and is stored anew. Where another owner has the key, two answers must not both be believed: the
   * winner's is given where there is one, else 409.
   */
  async function settleLost(outgoing: Outgoing, response: StoredResponse): Promise<Settled> {
    const now = await withDeadline(() => store.claim({ ...request, expired: 'report' }), storeDeadline)
    if (now.kind === 'claimed') {
      const again = { key, owner, fence: now.fence }
      if (await withDeadline(() => store.complete(again, response, settings.retention), storeDeadline)) return completed(outgoing)
    }
    events.emit('stale-complete', () => ({ key, fence, ran: ran() }))
    if (now.kind !== 'done') return { kind: 'replace', response: refusals.inProgress(1_000 as Duration) }
    return { kind: 'replace', response: replayOf(seal === undefined ? now.response : await seal.open(key, now.response)) }
  }

  /** The store failed for a moment: the lease is renewed on, and the result is tried a few times more. */
  async function completeLater(outgoing: Outgoing, response: StoredResponse): Promise<void> {
    for (const pause of laterPauses) {
      await new Promise<void>((resolve) => lightTimer(resolve, pause))
      try {
        if (await withDeadline(() => store.complete(claim, response, settings.retention), storeDeadline)) completed(outgoing)
        else events.emit('stale-complete', () => ({ key, fence, ran: ran() }))
        break
      } catch (error) {
        failed('complete')(error)
      }
    }
    stopRenewing()
  }

  return settle
}
