import { HopwiseError, type Claim, type ClaimRequest } from '@hopwise/core'
import type { HandlerTransaction, TransactionClient } from './client.js'

/** A transaction that holds its key, from its claim until it is ended, once. */
export interface OpenTransaction<Native> {
  readonly client: TransactionClient<Native>
  /** What was asked for; asked for again where the work is repeated. */
  readonly request: ClaimRequest
  /** What the handler works with; its queries fail once the transaction is ended. */
  readonly handed: HandlerTransaction<Native>
  /** Whether `claim` is the one that opened it. */
  isOf(claim: Claim): boolean
  readonly fence: number
  /** The first call makes it the caller's to commit or roll back, and gives true. */
  takeEnd(): boolean
  readonly isEnded: boolean
  /** While the work is begun anew; never rejects. Whoever ends the transaction waits for it, since it uses the connection. */
  restarting?: Promise<unknown>
  /** Resolves when the key is free or done, and the connection given back. */
  readonly over: Promise<void>
  /** Gives the connection back; a broken one is destroyed. */
  giveBack(broken: boolean): void
}

/** Makes the record of a transaction whose claim succeeded. */
export function openTransaction<Native>(client: TransactionClient<Native>, request: ClaimRequest, fence: number): OpenTransaction<Native> {
  let ended = false
  let resolveOver: () => void = () => undefined
  const over = new Promise<void>((resolve) => (resolveOver = resolve))
  return {
    client,
    request,
    handed: {
      native: client.native,
      async query(text, values) {
        if (ended) throw new HopwiseError('store-unusable', 'the transaction of this request is over: its result was stored, or it was rolled back')
        return client.query(text, values)
      },
    },
    isOf: (claim) => claim.key === request.key && claim.owner === request.owner && claim.fence === fence,
    fence,
    takeEnd() {
      if (ended) return false
      ended = true
      return true
    },
    get isEnded() {
      return ended
    },
    over,
    giveBack(broken) {
      client.release(broken)
      resolveOver()
    },
  }
}
