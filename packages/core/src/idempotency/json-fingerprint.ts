import { fingerprint } from './fingerprint.js'
import type { Incoming } from './incoming.js'

/** Deeper than this, or invalid, or with a name twice in one object: then the raw bytes count. */
const deepest = 128

/**
 * Makes a `fingerprint` for which the order of the names in a JSON object and white space do not matter. Strings are
 * compared by their characters, numbers as they are written: 9007199254740993 is not 9007199254740992, and 1.0 is not
 * 1. A body that is not JSON (by its content type or its text) is compared by its raw bytes.
 * @example idempotent({ store, principal, fingerprint: jsonFingerprint() })
 */
export function jsonFingerprint(): (incoming: Incoming<unknown>, body: Uint8Array) => Promise<string> {
  return (incoming, body) => {
    const isJson = /^application\/([\w.-]+\+)?json\b/i.test(incoming.field('content-type')[0] ?? '')
    const text = isJson ? strictText(body) : undefined
    const canonical = text === undefined ? undefined : canonicalJson(text)
    return fingerprint(incoming, canonical === undefined ? body : new TextEncoder().encode(canonical))
  }
}

/** The text of UTF-8 bytes; `undefined` where they are not UTF-8, since different wrong bytes would become one U+FFFD. */
function strictText(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes)
  } catch {
    return undefined
  }
}

const space = /[ \t\n\r]*/y
const scalar = /-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?|true|false|null/y
// Everything from the space on but the quote and the backslash (RFC 8259 7).
const string = /"[ !#-[\]-\uffff]*(?:\\(?:["\\/bfnrt]|u[\da-fA-F]{4})[ !#-[\]-\uffff]*)*"/y

/** JSON text with sorted names and no white space, numbers as written; `undefined` where it is not JSON or is ambiguous. */
export function canonicalJson(text: string): string | undefined {
  let at = 0
  const take = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    const match = pattern.exec(text)
    if (match === null) return undefined
    at = pattern.lastIndex
    return match[0]
  }
  const takeMark = (mark: string): boolean => {
    take(space)
    if (text[at] !== mark) return false
    at++
    return true
  }
  const takeString = (): string | undefined => {
    take(space)
    const written = take(string)
    // One spelling for each character, whatever way it was escaped.
    return written === undefined ? undefined : JSON.stringify(JSON.parse(written))
  }
  /** What stands between `open` and `close`, read by `one`, apart by commas. */
  const takeList = (close: string, one: () => string | undefined): string[] | undefined => {
    const entries: string[] = []
    if (takeMark(close)) return entries
    for (;;) {
      const entry = one()
      if (entry === undefined) return undefined
      entries.push(entry)
      if (takeMark(close)) return entries
      if (!takeMark(',')) return undefined
    }
  }
  const takeObject = (depth: number): string | undefined => {
    const members = new Map<string, string>()
    let repeated = false
    const read = takeList('}', () => {
      const name = takeString()
      if (name === undefined || !takeMark(':')) return undefined
      const value = takeValue(depth)
      if (value === undefined) return undefined
      repeated ||= members.has(name)
      members.set(name, value)
      return name
    })
    if (read === undefined || repeated) return undefined
    return `{${[...members].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => `${name}:${value}`).join(',')}}`
  }
  const takeValue = (depth: number): string | undefined => {
    if (depth > deepest) return undefined
    if (takeMark('{')) return takeObject(depth + 1)
    if (takeMark('[')) {
      const entries = takeList(']', () => takeValue(depth + 1))
      return entries === undefined ? undefined : `[${entries.join(',')}]`
    }
    return takeString() ?? take(scalar)
  }

  const value = takeValue(0)
  take(space)
  return at === text.length ? value : undefined
}
