import type { Clock } from './clock.js'

/** A problem document that is larger is not ours. */
const mostBytes = 16_384

/** The `type` of a problem document (RFC 9457), read from a copy of the response; `undefined` where there is none, or none within `ms`. */
export async function problemTypeOf(response: Response, ms: number, clock: Clock): Promise<string | undefined> {
  const reader = response.clone().body?.getReader()
  if (reader === undefined) return undefined
  // What was read until then is no document, or one without its end.
  const cancelTimer = clock.after(ms, () => void reader.cancel().catch(() => {}))
  const chunks: Uint8Array<ArrayBuffer>[] = []
  try {
    for (let size = 0; ; ) {
      const { done, value } = await reader.read()
      if (done) return problemTypeIn(await new Blob(chunks).text())
      size += value.length
      if (size > mostBytes) return undefined
      chunks.push(new Uint8Array(value))
    }
  } catch {
    return undefined
  } finally {
    cancelTimer()
    // Not awaited: a branch of a tee is only cancelled once the other one is.
    reader.cancel().catch(() => {})
  }
}

/** The `type` in the text of a problem document. */
export function problemTypeIn(text: string): string | undefined {
  try {
    const document: unknown = JSON.parse(text)
    return typeof document === 'object' && document !== null && 'type' in document && typeof document.type === 'string' ? document.type : undefined
  } catch {
    return undefined
  }
}
