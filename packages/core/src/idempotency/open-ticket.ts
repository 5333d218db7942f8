import { fieldValues, type PlainResponse } from '../http.js'
import { lightTimer } from './deadline.js'
import { digest } from './digest.js'
import type { KeyCalls } from './key-calls.js'
import { keepLease } from './lease.js'
import type { IdempotencySettings } from './options.js'
import { createPhases } from './phases.js'
import { refusal } from './refusals.js'
import { replayOf, storableFields } from './replay.js'
import { stopwatch } from './stopwatch.js'
import type { Claim, ClaimRequest, ClaimResult } from './store.js'
import type { Outgoing, Settled, Ticket } from './ticket.js'

/** 408, 425 and 429 say that the request was not processed: the key is free again. Everything else is a result. */
const withoutEffect = [408, 425, 429]

/** Milliseconds before each further try to store a result that could not be stored at first. */
const laterPauses = [200, 800, 3_200]

/**
 * Opens a ticket for a claim that was just made, and starts to renew its lease.
 * @param request what was asked of the store
 * @param claimed what came of it
 */
export function openTicket(
  settings: IdempotencySettings<never>,
  { tell, failed, within, release }: KeyCalls,
  request: ClaimRequest,
  { fence, phases = {}, transaction }: Extract<ClaimResult, { kind: 'claimed' }>,
  requestId: string | undefined,
): Ticket {
  const { store, lease, maxRun, seal } = settings
  const { key, owner } = request
  const claim: Claim = { key, owner, fence }
  const transactional = Boolean(store.transactional)
  const ran = stopwatch()
  let released = false
  let settled: Promise<Settled> | undefined

  const tooLong = () => {
    tell('run-too-long', { fence })
    if (transactional) void release(claim)
  }
  const lost = () => {
    // While settling, the renewal may have met the settled record; a key that is really lost is told by stale-complete.
    if (!settled) tell('lease-lost', { fence })
  }
  const stopRenewing = transactional
    ? lightTimer(tooLong, maxRun)
    : keepLease(lease, maxRun, () => within(() => store.renew(claim, lease)), lost, tooLong, failed('renew'))

  const stale = () => tell('stale-complete', { fence, ran: ran() })
  const completed = ({ status, body }: Outgoing): undefined => tell('completed', { fence, status, bodyKept: body !== null, ran: ran() })

  /** Stores the response; false where the claim is no longer held. */
  async function complete(holder: Claim, { status, fields, body }: Outgoing): Promise<boolean> {
    const clear = { status, fields: storableFields(fields, settings.neverReplay, requestId), body, requestId }
    const response = seal ? await seal.seal(key, clear) : clear
    return within(() => store.complete(holder, response, settings.retention))
  }

  /** The end of a run: gives the key back or stores the response. Gives what takes the response's place, if anything does. */
  async function settle(outgoing: Outgoing): Promise<PlainResponse | undefined> {
    const { status } = outgoing
    // Rolled back with its transaction, an error had no effect.
    if (released || withoutEffect.includes(status) || (transactional && status >= 500)) {
      const held = await release(claim)
      stopRenewing()
      if (held) tell('released', { fence, status, ran: ran() })
      // Without effect, there is nothing that another owner's run could contradict.
      if (held === false) stale()
      return undefined
    }
    try {
      const held = await complete(claim, outgoing)
      stopRenewing()
      if (held) return completed(outgoing)
      if (!transactional) return await settleLost(outgoing)
    } catch (error) {
      failed('complete')(error)
      if (!transactional) return void completeLater(outgoing)
      stopRenewing()
      // Where storing never came to the commit, the transaction is still open, and holds its locks.
      void release(claim)
    }
    return refusal('store-unavailable')
  }

  /**
   * The claim is no longer held. Where the store has lost the record (a flush, an eviction, a fail-over), the result
   * still stands and is stored anew. Where another owner has the key, two answers must not both be believed: the
   * winner's is given where there is one, else 409.
   */
  async function settleLost(outgoing: Outgoing): Promise<PlainResponse | undefined> {
    const now = await within(() => store.claim({ ...request, expired: 'report' }))
    if (now.kind === 'claimed' && (await complete({ ...claim, fence: now.fence }, outgoing))) return completed(outgoing)
    stale()
    return now.kind === 'done' ? replayOf(seal ? await seal.open(key, now.response) : now.response) : refusal('key-in-progress')
  }

  /** The store failed for a moment: the lease is renewed on, and the result is tried a few times more. */
  async function completeLater(outgoing: Outgoing): Promise<void> {
    for (const pause of laterPauses) {
      await new Promise<void>((resolve) => lightTimer(resolve, pause))
      const held = await complete(claim, outgoing).catch(failed('complete'))
      if (held === undefined) continue
      if (held) completed(outgoing)
      else stale()
      break
    }
    stopRenewing()
  }

  return {
    key,
    fence,
    attempt: fence,
    captureLimit: settings.maxResponseBytes,
    transaction,
    phase: createPhases(phases, (phase, text) => within(() => store.savePhase(claim, phase, text)), failed('save-phase')),
    deriveKey: (name) => digest(['derived', key, name]),
    release: () => {
      released = true
    },
    admit: (fields) => {
      if (!/^text\/event-stream\b/i.test(fieldValues(fields, 'content-type').join())) return undefined
      released = true
      tell('unprotectable', { fence, contentType: 'text/event-stream' })
      return refusal('endless-stream')
    },
    abandon: () => {
      stopRenewing()
      if (transactional && !settled) void release(claim)
    },
    settle: (outgoing) => (settled ??= settle(outgoing).then((response) => (response ? { kind: 'replace', response } : { kind: 'send' }))),
  }
}
