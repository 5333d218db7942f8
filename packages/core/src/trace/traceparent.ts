/** Why a `traceparent` that came with a request was not continued. */
export type TraceparentFault = 'repeated' | 'malformed' | 'forbidden-version' | 'zero-trace-id' | 'zero-parent-id'

/** What a `traceparent` field holds. */
export type TraceparentReading =
  | { readonly kind: 'absent' }
  | { readonly kind: 'parent'; readonly traceId: string; readonly parentId: string; readonly flags: number }
  | { readonly kind: 'invalid'; readonly reason: TraceparentFault }

/** The caller may have recorded this trace (W3C Trace Context 3.2.2.5.1). */
const sampledFlag = 1
/** At least the last 7 bytes of the trace id are random (W3C Trace Context level 2, 3.2.2.5.2). */
export const randomFlag = 2

// A version above 00 may have more after the flags, behind a dash.
const written = /^[ \t]*([\da-f]{2})-([\da-f]{32})-([\da-f]{16})-([\da-f]{2})(-.*)?[ \t]*$/

/**
 * Reads the values of the `traceparent` field (W3C Trace Context level 2, 3.2). Higher versions are read by the part
 * that they share with version 00; ff is no version. Of the flags, those that level 2 does not know are left out.
 */
export function readTraceparent(values: readonly string[]): TraceparentReading {
  const [value, ...more] = values
  if (value === undefined) return { kind: 'absent' }
  if (more.length > 0) return invalid('repeated')
  const [, version, traceId = '', parentId = '', flags = '', rest] = written.exec(value) ?? []
  if (version === undefined || (version === '00' && rest !== undefined)) return invalid('malformed')
  if (version === 'ff') return invalid('forbidden-version')
  if (isZero(traceId)) return invalid('zero-trace-id')
  if (isZero(parentId)) return invalid('zero-parent-id')
  return { kind: 'parent', traceId, parentId, flags: Number.parseInt(flags, 16) & (sampledFlag | randomFlag) }
}

/** A `traceparent` value of version 00, the highest that level 2 knows. */
export function formatTraceparent(traceId: string, parentId: string, flags: number): string {
  return `00-${traceId}-${parentId}-${flags.toString(16).padStart(2, '0')}`
}

/** Whether an id is all zeros, which means none. */
export function isZero(id: string): boolean {
  return /^0+$/.test(id)
}

function invalid(reason: TraceparentFault): TraceparentReading {
  return { kind: 'invalid', reason }
}
