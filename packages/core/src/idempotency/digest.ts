import { utf8 } from '../utf8.js'

/**
 * SHA-256 over texts and the bytes that may follow them, in lower-case hex. The texts are written as one JSON array, which
 * tells by itself where it ends: no two different inputs are the same bytes, whatever separators a caller puts into them.
 * JSON escapes lone surrogates, of which UTF-8 would make one and the same U+FFFD.
 */
export async function digest(texts: readonly string[], bytes: Uint8Array = new Uint8Array()): Promise<string> {
  const head = utf8(JSON.stringify(texts))
  const whole = new Uint8Array(head.length + bytes.length)
  whole.set(head)
  whole.set(bytes, head.length)
  const hash = await crypto.subtle.digest('SHA-256', whole)
  return Array.from(new Uint8Array(hash), (byte) => byte.toString(16).padStart(2, '0')).join('')
}
