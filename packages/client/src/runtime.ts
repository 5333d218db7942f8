import { findFreshConnection, type FreshConnection } from './fresh-connection.js'
import { findWatch, type Watch } from './watch/watch.js'

/** What the client has to know of the runtime that it is in. */
export interface Runtime {
  /** Where the runtime tells what becomes of a request. */
  readonly watch?: Watch
  /** Where it tells nothing, and can be asked for a fresh connection. */
  readonly freshConnection?: () => FreshConnection
  /**
   * Whether its fetch sends a request again by itself when a pooled connection dies, a POST too, unless the body is a stream: Deno does,
   * after the server has it (measured, Deno 2.9; denoland/deno#35610, #36415, #36786).
   */
  readonly resendsBytes: boolean
  /** Whether `redirect: 'manual'` shows where a redirect leads. In browsers it does not (Fetch, "opaque-redirect filtered response"). */
  readonly showsRedirects: boolean
}

/** Looks at the runtime. */
export function findRuntime(): Runtime {
  const watch = findWatch()
  const { Deno, window, WorkerGlobalScope, navigator } = globalThis as { Deno?: unknown; window?: { document?: unknown }; WorkerGlobalScope?: unknown; navigator?: { userAgent?: string } }
  // Deno and workerd have a WorkerGlobalScope as well; each says its name.
  const isServer = watch !== undefined || Deno !== undefined || /^(?:Cloudflare-Workers|Bun|Node\.js|Deno)/.test(navigator?.userAgent ?? '')
  const freshConnection = watch === undefined ? findFreshConnection() : undefined
  return {
    ...(watch !== undefined && { watch }),
    ...(freshConnection !== undefined && { freshConnection }),
    resendsBytes: Deno !== undefined,
    showsRedirects: isServer || (window?.document === undefined && WorkerGlobalScope === undefined),
  }
}
