const encoder = /* @__PURE__ */ new TextEncoder()

/**
 * SHA-256 over parts, each preceded by its length, in lower-case hex: no two different lists of parts give the same
 * input, whatever separators a caller puts into them.
 */
export async function digest(parts: readonly (string | Uint8Array)[]): Promise<string> {
  // As JSON, since TextEncoder makes one and the same U+FFFD of every lone surrogate, and JSON escapes it.
  const bytes = parts.map((part) => (typeof part === 'string' ? encoder.encode(JSON.stringify(part)) : part))
  const input = new Uint8Array(bytes.reduce((sum, part) => sum + 8 + part.length, 0))
  const view = new DataView(input.buffer)
  let at = 0
  for (const part of bytes) {
    view.setBigUint64(at, BigInt(part.length))
    input.set(part, at + 8)
    at += 8 + part.length
  }
  const hash = new Uint8Array(await crypto.subtle.digest('SHA-256', input))
  return Array.from(hash, (byte) => byte.toString(16).padStart(2, '0')).join('')
}
