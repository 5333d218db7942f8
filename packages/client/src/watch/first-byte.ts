import { timeoutError } from '../abort.js'
import type { Settings } from '../options.js'
import type { Attempt } from './attempt.js'
import { closeSocket, flowOf, ping } from './socket.js'

/** How long a session has to answer a PING, at most: undici 8 gives one at least as long. */
const mostProbeMs = 1_000

type Timing = Pick<Settings, 'firstByteTimeout' | 'clock'>

/**
 * Calls `give` once an attempt has waited for the first byte of its response for so long, or for as long again after each look that
 * finds its upload to have gone on. What it gives prevents that.
 */
export function limitFirstByte(attempt: Attempt, settings: Timing, give: (error: Error) => void): () => void {
  const { firstByteTimeout, clock } = settings
  const wait = (): (() => void) =>
    clock.after(firstByteTimeout, () => {
      if (uploadWentOn(attempt)) return void (cancel = wait())
      probe(attempt, settings)
      give(timeoutError('firstByteTimeout', firstByteTimeout))
    })
  let cancel = wait()
  return () => cancel()
}

/** Whether an upload over HTTP/1 went on since the last look. Over HTTP/2, what others write would hide that nothing moves. */
function uploadWentOn(attempt: Attempt): boolean {
  const { socket, flow, atOnce } = attempt
  // Once its own request is over, whatever is written there is another one's.
  if (socket === undefined || socket.alpnProtocol === 'h2' || attempt.open === 0 || attempt.responseSeen) return false
  attempt.flow = flowOf(socket)
  attempt.atOnce = 0
  return attempt.flow < flow || attempt.flow > flow + (socket.writableLength > 0 ? 0 : atOnce)
}

/**
 * An HTTP/2 session on which nothing has come since the attempt was sent is asked for a sign of life; without one it is closed, since it would take
 * the next attempts as well. A session that is alive is left alone: its server may only be slow.
 */
function probe({ socket, readBefore }: Attempt, { firstByteTimeout, clock }: Timing): void {
  if (socket?.alpnProtocol !== 'h2' || socket.bytesRead !== readBefore || !ping(socket)) return
  const close = (): void => {
    if (socket.bytesRead === readBefore) closeSocket(socket)
  }
  clock.after(Math.min(firstByteTimeout, mostProbeMs), close, true)
}
