import { timeoutError } from '../abort.js'
import type { Settings } from '../options.js'
import type { Attempt } from './attempt.js'
import { closeSocket, flowOf } from './socket.js'

/**
 * Calls `give` once an attempt has waited for the first byte of its response for so long, or for as long again after each look that
 * finds its upload to have gone on. What it gives prevents that.
 */
export function limitFirstByte(attempt: Attempt, { firstByteTimeout, clock }: Pick<Settings, 'firstByteTimeout' | 'clock'>, give: (error: Error) => void): () => void {
  const wait = (): (() => void) =>
    clock.after(firstByteTimeout, () => {
      if (uploadWentOn(attempt)) return void (cancel = wait())
      endDeadSession(attempt)
      give(timeoutError('firstByteTimeout', firstByteTimeout))
    })
  let cancel = wait()
  return () => cancel()
}

/** Whether an upload over HTTP/1 went on since the last look. Over HTTP/2, what others write would hide that nothing moves. */
function uploadWentOn(attempt: Attempt): boolean {
  const { socket, flow, atOnce } = attempt
  if (socket === undefined || socket.alpnProtocol === 'h2') return false
  attempt.flow = flowOf(socket)
  attempt.atOnce = 0
  return attempt.flow < flow || attempt.flow > flow + (socket.writableLength > 0 ? 0 : atOnce)
}

/** An HTTP/2 session that nothing has come on since the attempt was sent would take the next attempt as well. */
function endDeadSession({ socket, readBefore }: Attempt): void {
  if (socket?.alpnProtocol === 'h2' && socket.bytesRead === readBefore) closeSocket(socket)
}
