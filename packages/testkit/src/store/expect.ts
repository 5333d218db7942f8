/**
 * Throws where `actual` is not the same plain data as `expected`: bytes by value, and a property that is `undefined`
 * the same as one that is absent.
 * @throws Error with both values in its message
 */
export function equal(actual: unknown, expected: unknown, what: string): void {
  if (!same(actual, expected)) throw new Error(`${what}: expected ${show(expected)}, got ${show(actual)}`)
}

/**
 * Throws where `actual` is not above `above` and at most `atMost`.
 * @throws Error with the range and the value in its message
 */
export function within(actual: number, above: number, atMost: number, what: string): void {
  if (!(actual > above && actual <= atMost)) throw new Error(`${what}: expected more than ${above} and at most ${atMost}, got ${show(actual)}`)
}

function same(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false
  if (a instanceof Uint8Array || b instanceof Uint8Array) {
    return a instanceof Uint8Array && b instanceof Uint8Array && a.length === b.length && a.every((byte, at) => byte === b[at])
  }
  if (Array.isArray(a) || Array.isArray(b)) {
    return Array.isArray(a) && Array.isArray(b) && a.length === b.length && a.every((entry, at) => same(entry, b[at]))
  }
  const [left, right] = [Object.entries(a), Object.entries(b)].map((entries) => new Map(entries.filter(([, value]) => value !== undefined)))
  return left?.size === right?.size && [...(left ?? [])].every(([name, value]) => right?.has(name) === true && same(value, right.get(name)))
}

function show(value: unknown): string {
  const text = JSON.stringify(value, (_name, entry: unknown) => {
    if (entry instanceof Uint8Array) return `${entry.length} bytes ${hex(entry.subarray(0, 32))}${entry.length > 32 ? '...' : ''}`
    return entry === undefined || Number.isNaN(entry) ? String(entry) : entry
  })
  return text.length > 600 ? `${text.slice(0, 600)}...` : text
}

function hex(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
