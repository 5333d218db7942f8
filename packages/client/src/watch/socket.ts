interface WriteQueue {
  readonly writeQueueSize?: number
}

/** A socket of Node, as far as the watch needs it. */
export interface WatchedSocket {
  readonly bytesRead: number
  readonly bytesWritten: number
  readonly writableLength: number
  readonly destroyed: boolean
  readonly alpnProtocol?: string | false | null
  /**
   * Node's own. What one write has not given to the system yet shows only there: `net.Socket` looks at it for its timeout. Over TLS it is
   * the one beneath that tells (measured, Node 20 to 26).
   */
  readonly _handle?: (WriteQueue & { readonly _parent?: WriteQueue }) | null
  destroy(error?: Error): unknown
  once(event: 'close', listener: () => void): unknown
}

/** A number that changes as an upload goes on: the bytes that were written, less those of them that the present write still holds. */
export function flowOf({ bytesWritten, _handle: handle }: WatchedSocket): number {
  return bytesWritten - ((handle?._parent ?? handle)?.writeQueueSize ?? 0)
}

/** Sends a PING on the HTTP/2 session of a socket, which undici keeps in a property of the socket (6, 7 and 8). Gives whether there is one. */
export function ping(socket: WatchedSocket): boolean {
  const property = Object.getOwnPropertySymbols(socket).find(({ description }) => description === 'http2Session')
  const session = property && (socket as unknown as Record<symbol, Session | null | undefined>)[property]
  if (!session?.ping || session.destroyed) return false
  session.ping(() => {})
  return true
}

interface Session {
  readonly destroyed: boolean
  ping?(callback: () => void): unknown
}

/**
 * Closes a connection. Over HTTP/2 with an error: undici 7 throws where a session closes without one, and nobody could catch it
 * (7.30, `onHttp2SessionClose`). By the code, undici fails no request that still waits for a connection.
 */
export function closeSocket(socket: WatchedSocket): void {
  socket.destroy(socket.alpnProtocol === 'h2' ? Object.assign(new Error('closed by the client'), { code: 'UND_ERR_SOCKET' }) : undefined)
}
