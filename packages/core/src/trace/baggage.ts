import type { FieldReading } from './field-reading.js'

/** Why a `baggage` was dropped. */
export type BaggageFault = 'bad-character' | 'too-many-members' | 'too-long'

/** What everybody is asked to pass on at least (W3C Baggage, "Limits"). Hopwise passes on no more. */
const mostMembers = 64
const mostBytes = 8_192

/**
 * Reads the values of the `baggage` field as one list (W3C Baggage), as they were written: what stands in it is
 * between the user's services. One that is not ASCII, or that is larger than everybody has to pass on, is dropped.
 */
export function readBaggage(values: readonly string[]): FieldReading<BaggageFault> {
  const value = values.filter(isMember).join(',')
  if (value === '') return {}
  if (value.length > mostBytes) return { fault: 'too-long' }
  if (!/^[\t -~]*$/.test(value)) return { fault: 'bad-character' }
  if (value.split(',').filter(isMember).length > mostMembers) return { fault: 'too-many-members' }
  return { value }
}

function isMember(text: string): boolean {
  return !/^[ \t]*$/.test(text)
}
