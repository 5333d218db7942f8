import type { FieldReading } from './field-reading.js'

/** Why a `tracestate` was dropped, or shortened where it was too long. */
export type TracestateFault = 'malformed' | 'too-many-members' | 'too-long'

const mostMembers = 32
/** What everybody is asked to pass on at least (W3C Trace Context level 2, 3.3.3.1). Hopwise passes on no more. */
const longest = 512
/** Entries that are longer than this are the first to go. */
const longEntry = 128
/** Not worth looking at beyond it: 32 members of the longest kind are half of it. */
const longestField = 32_768

// Key and value of W3C Trace Context level 2, 3.3.2. The value ends with a character that is no space.
const member = /^[ \t]*(([a-z\d][a-z\d_\-*/@]{0,255})=[ -+\--<>-~]{0,255}[!-+\--<>-~])[ \t]*$/

/**
 * Reads the values of the `tracestate` field as one list (W3C Trace Context level 2, 3.3), in order, without empty
 * members. Of members with one key the first is kept, which is the latest. A list with a wrong member, or with more than
 * 32, is dropped as a whole; one of more than 512 characters loses whole entries: those of more than 128 characters
 * first, then from its end.
 */
export function readTracestate(values: readonly string[]): FieldReading<TracestateFault> {
  const text = values.join(',')
  if (text.length > longestField) return { fault: 'too-long' }
  const entries = new Map<string, string>()
  let members = 0
  for (const part of text.split(',')) {
    if (/^[ \t]*$/.test(part)) continue
    const [, entry, key] = member.exec(part) ?? []
    if (entry === undefined || key === undefined) return { fault: 'malformed' }
    if (++members > mostMembers) return { fault: 'too-many-members' }
    if (!entries.has(key)) entries.set(key, entry)
  }
  if (members === 0) return {}
  const whole = [...entries.values()]
  const kept = shortened(whole)
  return {
    ...(kept.length > 0 && { value: kept.join(',') }),
    ...(kept.length < whole.length && { fault: 'too-long' }),
  }
}

/** The entries that fit, in their order. */
function shortened(entries: readonly string[]): readonly string[] {
  const kept = [...entries]
  while (kept.join(',').length > longest) {
    const lastLong = kept.findLastIndex((entry) => entry.length > longEntry)
    kept.splice(lastLong === -1 ? kept.length - 1 : lastLong, 1)
  }
  return kept
}
