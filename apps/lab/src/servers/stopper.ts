import type { Server as HttpServer } from 'node:http'
import type { Http2SecureServer, Http2Server } from 'node:http2'
import type { Server as HttpsServer } from 'node:https'

/** A server that is to be stopped. */
export type AnyServer = HttpServer | HttpsServer | Http2Server | Http2SecureServer

/** How a server is to stop. */
interface Stopping {
  /** What is left then is cut; undefined: the peer is used without a bound, as far as it can be. */
  readonly deadlineMs: number | undefined
  /** Ends the process. */
  readonly end: () => void
}

/** Makes SIGTERM stop a server by one peer's means, as its documentation says. To be called before `listen()`. */
export type Stopper = (server: AnyServer, stopping: Stopping) => void | Promise<void>
