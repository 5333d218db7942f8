import { Server, type Socket } from 'node:net'
import type { IncomingMessage, Server as HttpServer } from 'node:http'
import type { Server as HttpsServer } from 'node:https'

/** How long a connection that was told `close` may take to close from the other side. */
const lingerMs = 2_000
/** So many turns of the event loop may be busy ones before the listener closes all the same. */
const mostTurns = 500
/** A turn that takes longer than this may have left a connection in the accept queue since its poll phase began. */
const shortTurnMs = 1

/**
 * Closes the listener and nothing else, in the check phase right after a poll phase that brought no new connection and
 * was over at once: what the kernel had accepted by then has been taken over and will be served. (A connection that is in
 * the accept queue when the listener closes is reset. libuv takes one a turn, and a turn with slow callbacks gives others
 * the time to come. `http.Server.close()` would also destroy idle sockets whose next request is already in the kernel's
 * buffer: 50 of 50 reset, Node 19 to 26.)
 */
export function stopAccepting(server: HttpServer | HttpsServer, accepted: () => number): Promise<void> {
  return new Promise((resolve) => {
    let turns = 0
    let before = Number.NaN
    let lastCheckAt = Number.NEGATIVE_INFINITY
    const afterPoll = (): void => {
      const busy = accepted() !== before || performance.now() - lastCheckAt > shortTurnMs
      if (busy && ++turns < mostTurns) {
        before = accepted()
        lastCheckAt = performance.now()
        setImmediate(afterPoll)
        return
      }
      Server.prototype.close.call(server)
      resolve()
    }
    setImmediate(afterPoll)
  })
}

/**
 * Ends a connection as RFC 9112 9.6 asks: send the last bytes and FIN, go on reading and throw away what comes, and
 * only then let go. Closing with unread bytes would send RST, and the client could lose the response that it was sent.
 */
export function endAndLinger(socket: Socket): void {
  discardInput(socket)
  socket.end()
  const timer = setTimeout(() => socket.destroy(), lingerMs)
  socket.once('end', () => socket.destroySoon())
  socket.once('close', () => clearTimeout(timer))
}

/**
 * From now on nothing that arrives is parsed: a request behind a response that said `close` must not run, since its
 * answer could not be sent.
 */
function discardInput(socket: Socket): void {
  // Adding a listener takes the socket back from Node's parser, which else reads below the stream.
  const ignore = (): void => {}
  socket.on('data', ignore)
  for (const listener of socket.listeners('data')) {
    if (listener !== ignore) socket.off('data', listener as () => void)
  }
  socket.resume()
}

/**
 * To be called once a response's header says `Connection: close`: what follows the current request is thrown away, and
 * when Node lets go of the socket after the response, it is ended with {@link endAndLinger} instead of destroyed.
 */
export function closeAfterResponse(socket: Socket, request: IncomingMessage): void {
  if (Object.hasOwn(socket, 'destroySoon')) return
  if (request.complete) discardInput(socket)
  else request.once('end', () => discardInput(socket))
  socket.destroySoon = () => {
    Reflect.deleteProperty(socket, 'destroySoon')
    endAndLinger(socket)
  }
}

/** Calls back after one poll phase has passed: what the kernel held when it was called has been read by then. */
export function afterOnePoll(callback: () => void): void {
  setImmediate(() => setImmediate(callback))
}
