import type { ClaimRequest, ClaimResult } from '@hopwise/core'
import { qualified } from '../identifier.js'
import { resultOf, type ClaimRow } from '../rows.js'
import { codeOf, isRetryable, sqlstate } from '../sqlstate.js'
import type { TransactionClient } from './client.js'
import { stillPending } from './local-turns.js'
import type { TransactionStoreSettings } from './options.js'
import { claimText } from './texts.js'

/** Each time, somebody else must have committed or removed the key in the same moment. */
const tries = 10

/**
 * Opens a transaction on `client` and claims the key in it, waiting until `until`, a time of `performance.now()`. The
 * transaction is open afterwards, or failed, in any case: whoever does not go on with it has to roll it back.
 */
export async function claimOn(
  client: TransactionClient,
  request: ClaimRequest,
  until: number,
  settings: TransactionStoreSettings<unknown>,
): Promise<ClaimResult> {
  for (let attempt = 1; attempt <= tries; attempt++) {
    const text = claimText(qualified(settings), request, settings.isolation, until - performance.now())
    try {
      const { rows } = await client.query(attempt === 1 ? text : `ROLLBACK;\n${text}`)
      if (rows[0] !== undefined) return resultOf(rows[0] as ClaimRow)
    } catch (error) {
      if (codeOf(error) === sqlstate.lockNotAvailable) return stillPending
      // A stricter isolation than READ COMMITTED fails where it had to wait for a key, and sees it the next time.
      if (!isRetryable(error) || attempt === tries) throw error
    }
  }
  throw new Error(`the key was changed by others in each of ${tries} attempts to claim it`)
}

/** Rolls back; gives whether the connection is broken, since nothing else could fail. */
export async function rollBack(client: TransactionClient): Promise<boolean> {
  try {
    await client.query('ROLLBACK')
    return false
  } catch {
    return true
  }
}
