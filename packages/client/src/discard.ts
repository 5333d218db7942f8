import type { Clock } from './clock.js'

/** A longer body is not worth the connection that it would keep. */
export const mostDiscarded = 65_536
/** How much longer than the wait before the next attempt it may take, in milliseconds: one that trickles must not hold that up. */
export const discardPatience = 250

/** Reads the body of a response that nobody wants, so that its connection can be used again; one that is long, or takes longer than `ms`, is cancelled. */
export async function discard(response: Response, ms: number, clock: Clock): Promise<void> {
  const reader = response.body?.getReader()
  if (reader === undefined) return
  const cancelTimer = clock.after(ms, () => void reader.cancel().catch(() => {}))
  try {
    for (let size = 0; size <= mostDiscarded; ) {
      const { done, value } = await reader.read()
      if (done) return
      size += value.length
    }
    await reader.cancel()
  } catch {
    // It has died by itself.
  } finally {
    cancelTimer()
  }
}
