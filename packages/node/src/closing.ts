import { Server, type Socket } from 'node:net'
import type { IncomingMessage } from 'node:http'
import type { ServerHttp2Session, ServerHttp2Stream } from 'node:http2'
import type { Connection } from './connections.js'

/** How long a connection that was told `close` may take to close from the other side. */
const lingerMs = 2_000
/** How long the client of an HTTP/2 session has to acknowledge that it is to open no more streams. */
const barrierMs = 1_000
/** A turn of the event loop that takes longer may have left a connection in the accept queue since its poll phase began. */
const shortTurnMs = 0.1
/** How long a short turn is waited for; the longest that passes for short doubles with each tenth of it. */
const patienceMs = 500

/**
 * Closes the listener and nothing else, in the check phase right after a poll phase that brought no new connection and
 * was over at once: what the kernel had accepted by then has been taken over and will be served. (A connection that is in
 * the accept queue when the listener closes is reset. libuv takes one a turn, and a turn with slow callbacks gives others
 * the time to come. `http.Server.close()` would also destroy idle sockets whose next request is already in the kernel's
 * buffer: 50 of 50 reset, Node 19 to 26.)
 */
export function stopAccepting(server: Server, accepted: () => number): Promise<void> {
  return new Promise((resolve) => {
    const startedAt = performance.now()
    let before = Number.NaN
    let lastCheckAt = Number.NEGATIVE_INFINITY
    const afterPoll = (): void => {
      const now = performance.now()
      const short = shortTurnMs * 2 ** Math.floor(((now - startedAt) * 10) / patienceMs)
      if (now - startedAt < patienceMs && (accepted() !== before || now - lastCheckAt > short)) {
        before = accepted()
        lastCheckAt = now
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
  giveBack(socket)
  discardInput(socket)
  socket.end()
  socket.once('end', () => socket.destroySoon())
  endSoon(socket)
}

function endSoon(socket: Socket): void {
  const timer = setTimeout(() => socket.destroy(), lingerMs)
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
 * From now on Node's way to let go of an HTTP/1 socket (after a last response, after an error of the parser) is
 * {@link endAndLinger}: its own destroys the socket as soon as the last byte is written, whatever is still unread.
 */
export function lingerAtEnd(socket: Socket): void {
  socket.destroySoon = () => endAndLinger(socket)
}

/** Undoes {@link lingerAtEnd}, for a socket that leaves HTTP. */
export function giveBack(socket: Socket): void {
  Reflect.deleteProperty(socket, 'destroySoon')
}

/** To be called once a response's header says `Connection: close`: what follows the current request is thrown away. */
export function discardAfter(socket: Socket, request: IncomingMessage): void {
  if (request.complete) discardInput(socket)
  else request.once('end', () => discardInput(socket))
}

/**
 * Ends an HTTP/2 session without losing a stream: first the client is told to open no more (streams that race with that
 * get REFUSED_STREAM, which is safe to repeat, RFC 9113 8.7), and once it has acknowledged, GOAWAY with the exact last
 * stream. (`goaway(0, 2**31-1)` would let Node ignore every later stream in silence, and a raw frame aborts the process
 * over TLS: both measured, Node 20 to 26.) What is open runs to its end.
 *
 * The limit is lifted again right before GOAWAY: Node's own client holds requests back while it is 0, and those that it
 * holds when GOAWAY comes would stay so for ever, without a word to its user. With the limit lifted it tries to send
 * them, may not, and says REFUSED_STREAM (measured, Node 20 to 26).
 */
export function retireSession({ session, streams, socket }: Connection): void {
  if (session === undefined || session.closed || session.destroyed || retiring.has(session)) return
  retiring.add(session)
  const close = (): void => {
    clearTimeout(timer)
    if (!session.closed && !session.destroyed) {
      session.settings({ maxConcurrentStreams: unlimited })
      session.close()
    }
    afterAll(streams, () => endSoon(socket))
  }
  const timer = setTimeout(close, barrierMs)
  session.once('close', () => clearTimeout(timer))
  try {
    session.settings({ maxConcurrentStreams: 0 }, close)
  } catch {
    close()
  }
}

/** What HTTP/2 itself takes where nobody says a limit (RFC 9113 6.5.2). */
const unlimited = 2 ** 32 - 1
const retiring = new WeakSet<ServerHttp2Session>()

function afterAll(streams: ReadonlySet<ServerHttp2Stream>, callback: () => void): void {
  let left = streams.size
  if (left === 0) return callback()
  for (const stream of streams) stream.once('close', () => (--left === 0 ? callback() : undefined))
}

/** Calls back after one poll phase has passed: what the kernel held when it was called has been read by then. */
export function afterOnePoll(callback: () => void): void {
  setImmediate(() => setImmediate(callback))
}
