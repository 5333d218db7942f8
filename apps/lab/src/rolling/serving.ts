import type { App } from './app.js'
import type { InstanceOptions } from './messages.js'

/** For how long peers keep idle connections, so that what is counted is the stop and not the idle race. */
export const peersKeepAliveMs = 75_000

/** What a server is given. */
export interface Serving extends InstanceOptions {
  readonly app: App
  /** Hopwise has drained, and has cut so many connections: ends the process. */
  readonly drained: (forced: number) => void
}
