import type { Duration } from '../duration.js'
import type { Events } from '../events.js'
import type { PlainResponse } from '../http.js'
import { lightTimer, withDeadline } from './deadline.js'
import type { IdempotencyEvents } from './events.js'
import type { IdempotencySettings } from './options.js'
import { refusal, storeUnavailable } from './refusals.js'
import { replayOf, storableFields } from './replay.js'
import type { Claim, ClaimRequest, StoredResponse } from './store.js'
import type { StoreErrors } from './store-errors.js'
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
  readonly failed: StoreErrors
  readonly stopRenewing: () => void
  /** Gives the key back in the background. */
  readonly giveUp: () => void
}

/** Makes the end of a run: gives the key back or stores the response, and says what the client gets. Never rejects. */
export function createSettling({ settings, events, request, claim, requestId, ran, failed, stopRenewing, giveUp }: SettlingParts) {
  const { store, storeDeadline, seal } = settings
  const { key, owner, fence } = claim
  const send: Settled = { kind: 'send' }
  const complete = (holder: Claim, response: StoredResponse) => withDeadline(() => store.complete(holder, response, settings.retention), storeDeadline)
  const stale = () => events.emit('stale-complete', () => ({ key, fence, ran: ran() }))

  async function settle(outgoing: Outgoing, released: boolean): Promise<Settled> {
    const { status, fields, body } = outgoing
    const transactional = store.transactional !== undefined
    // Rolled back with its transaction, an error had no effect.
    if (released || withoutEffect.has(status) || (transactional && status >= 500)) return giveBack(status)
    let response: StoredResponse | undefined
    try {
      const clear = { status, fields: storableFields(fields, settings.neverReplay, requestId), body, requestId }
      response = seal === undefined ? clear : await seal.seal(key, clear)
      const held = await complete(claim, response)
      stopRenewing()
      if (held) return completed(outgoing)
      return transactional ? replace(storeUnavailable()) : await settleLost(outgoing, response)
    } catch (error) {
      failed('complete')(error)
      if (response !== undefined && !transactional) {
        void completeLater(outgoing, response)
        return send
      }
      stopRenewing()
      if (!transactional) return send
      // Where storing never came to the commit, the transaction is still open, and holds its locks.
      giveUp()
      return replace(storeUnavailable())
    }
  }

  function completed({ status, body }: Outgoing): Settled {
    events.emit('completed', () => ({ key, fence, status, bodyKept: body !== null, ran: ran() }))
    return send
  }

  async function giveBack(status: number): Promise<Settled> {
    try {
      // Without effect, there is nothing that another owner's run could contradict.
      if (await withDeadline(() => store.release(claim), storeDeadline)) events.emit('released', () => ({ key, fence, status, ran: ran() }))
      else stale()
    } catch (error) {
      failed('release')(error)
    }
    stopRenewing()
    return send
  }

  /**
   * The claim is no longer held. Where the store has lost the record (a flush, an eviction, a fail-over), the result
   * still stands and is stored anew. Where another owner has the key, two answers must not both be believed: the
   * winner's is given where there is one, else 409.
   */
  async function settleLost(outgoing: Outgoing, response: StoredResponse): Promise<Settled> {
    const now = await withDeadline(() => store.claim({ ...request, expired: 'report' }), storeDeadline)
    if (now.kind === 'claimed' && (await complete({ key, owner, fence: now.fence }, response))) return completed(outgoing)
    stale()
    if (now.kind !== 'done') return replace(refusal('key-in-progress', '', 1_000 as Duration))
    return replace(replayOf(seal === undefined ? now.response : await seal.open(key, now.response)))
  }

  /** The store failed for a moment: the lease is renewed on, and the result is tried a few times more. */
  async function completeLater(outgoing: Outgoing, response: StoredResponse): Promise<void> {
    for (const pause of laterPauses) {
      await new Promise<void>((resolve) => lightTimer(resolve, pause))
      try {
        if (await complete(claim, response)) completed(outgoing)
        else stale()
        break
      } catch (error) {
        failed('complete')(error)
      }
    }
    stopRenewing()
  }

  return settle
}

function replace(response: PlainResponse): Settled {
  return { kind: 'replace', response }
}
