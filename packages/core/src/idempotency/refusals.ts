import { wholeSeconds, type Duration } from '../duration.js'
import { keyRefusals } from '../errors.js'
import type { PlainResponse } from '../http.js'
import { problemDocument } from '../problem.js'

interface Row {
  readonly title: string
  readonly status: number
  readonly detail?: string
  readonly retryAfter?: number
}

/**
 * The answer by which a request is turned away: a problem document.
 * @param detail what it says in full, where the table does not
 * @param left how long it is until the same request may be taken, where that is known, for `Retry-After`
 */
export function refusal(code: keyof typeof keyRefusals, detail?: string, left?: Duration): PlainResponse {
  const row: Row = keyRefusals[code]
  const retryAfter = left ? wholeSeconds(left) : row.retryAfter
  return problemDocument(code, row, detail ?? row.detail, retryAfter ? [['retry-after', `${retryAfter}`]] : [])
}
