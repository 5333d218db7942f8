import { systemClock, type Clock } from '../clock.js'
import type { Evidence } from '../evidence.js'
import { evidenceOf, requestEnded, somethingElseSent, toldWithin, type Attempt } from './attempt.js'
import type { WatchedSocket } from './socket.js'
import { createSockets } from './sockets.js'

/** Where a runtime tells what becomes of requests. */
export interface Watch {
  /** Runs what sends an attempt: requests that are made in it, also later on, are the attempt's. */
  run<R>(attempt: Attempt, send: () => R): R
  evidence(attempt: Attempt, error: unknown, aborted: boolean): Evidence
  /** Closes the connections to an origin that have been idle for so many milliseconds; with 0, the next request is on a fresh one. */
  closeIdle(origin: string, atLeast: number): number
}

interface Channel {
  subscribe(listener: (message: unknown) => void): void
}

interface AsyncStorage {
  run<R>(store: Attempt, callback: () => R): R
  getStore(): Attempt | undefined
}

interface Builtins {
  diagnostics_channel?: { channel(name: string): Channel }
  async_hooks?: { AsyncLocalStorage?: new () => AsyncStorage }
}

/** What undici publishes; the same object stands for a request in all of its events. */
interface UndiciMessage {
  readonly request?: { readonly origin?: string | URL; readonly method?: string }
  readonly socket?: WatchedSocket
  readonly error?: unknown
}

let found: Watch | undefined

/**
 * The watch over undici, which is what Node's fetch is made of, or `undefined` where the runtime has no such events. The first
 * look subscribes, once for the process. Modules are looked up without an import, so that bundles for other runtimes hold.
 */
export function findWatch(): Watch | undefined {
  const { diagnostics_channel: channels, async_hooks: hooks } = builtins()
  const Storage = hooks?.AsyncLocalStorage
  if (channels === undefined || Storage === undefined) return undefined
  found ??= watchUndici((name) => channels.channel(name), new Storage(), systemClock)
  return found
}

function builtins(): Builtins {
  const { process: host, Bun, Deno } = globalThis as {
    process?: { getBuiltinModule?: (name: string) => unknown; versions?: { undici?: string } }
    Bun?: unknown
    Deno?: unknown
  }
  // Bun, Deno and workerd have the modules as well, but their fetch is not undici, and tells nothing.
  if (Bun !== undefined || Deno !== undefined || host?.versions?.undici === undefined) return {}
  const load = (name: string): object | undefined => host.getBuiltinModule?.(name) as object | undefined
  return { ...pick('diagnostics_channel', load), ...pick('async_hooks', load) }
}

function pick(name: 'diagnostics_channel' | 'async_hooks', load: (name: string) => object | undefined): Builtins {
  const module = load(name)
  return module === undefined ? {} : { [name]: module }
}

/** Subscribes to the events of undici; each channel is documented in undici's docs/docs/api/DiagnosticsChannel.md. */
export function watchUndici(channel: (name: string) => Channel, storage: AsyncStorage, clock: Clock): Watch {
  const sockets = createSockets(clock)
  const attemptOf = new WeakMap<object, Attempt>()
  /** For requests that were made in an attempt and are not its own: few, while every call has an entry in `attemptOf`. */
  const madeIn = new WeakMap<object, Attempt>()
  const socketOf = new WeakMap<object, WatchedSocket>()
  const connectErrors = new WeakSet<object>()
  const listen = (name: string, heard: (message: UndiciMessage) => void): void => channel(name).subscribe((message) => heard(message as UndiciMessage))

  const over = (request: object): void => {
    const socket = socketOf.get(request)
    if (socket === undefined) return
    socketOf.delete(request)
    sockets.done(socket, attemptOf.get(request)?.idleLimit())
  }
  const wasSent = (request: object): void => {
    const attempt = madeIn.get(request)
    if (attempt !== undefined) somethingElseSent(attempt)
  }

  listen('undici:request:create', ({ request }) => {
    const attempt = storage.getStore()
    if (request === undefined || attempt === undefined || attempt.over || isTunnel(request)) return
    // What a body's stream or a callback requests meanwhile is in the same context, and another request.
    if (!isOf(request, attempt)) return void madeIn.set(request, attempt)
    attempt.requests += 1
    attempt.open += 1
    attemptOf.set(request, attempt)
  })
  // Published right before the first byte is written.
  listen('undici:client:sendHeaders', ({ request, socket }) => {
    if (request === undefined || socket === undefined) return
    // No event tells its end: the socket would be busy for as long as it lives. And nothing of an attempt is in it.
    if (isTunnel(request)) return sockets.tunnelling(socket)
    over(request)
    const { reused, idleAge } = sockets.sending(socket, originOf(request))
    socketOf.set(request, socket)
    const attempt = attemptOf.get(request)
    if (attempt === undefined) return wasSent(request)
    toldWithin(attempt)
    if (attempt.over) return
    Object.assign(attempt, { sent: true, sends: attempt.sends + 1, reused, idleAge, socket, readBefore: socket.bytesRead, flow: socket.bytesWritten })
  })
  listen('undici:request:headers', ({ request }) => {
    if (request === undefined) return
    const attempt = attemptOf.get(request)
    // Over HTTP/2 this is the first that undici 6 tells.
    if (attempt === undefined) return wasSent(request)
    attempt.responseSeen = true
    toldWithin(attempt)
  })
  const ended = ({ request }: UndiciMessage): void => {
    if (request === undefined) return
    over(request)
    const attempt = attemptOf.get(request)
    // A weak entry too is work for each collection of garbage: left to it, they nearly double what a call of undici costs.
    if (attempt === undefined) return void madeIn.delete(request)
    attemptOf.delete(request)
    requestEnded(attempt)
  }
  listen('undici:request:trailers', ended)
  listen('undici:request:error', ended)
  listen('undici:client:connectError', ({ error }) => {
    if (typeof error === 'object' && error !== null) connectErrors.add(error)
  })

  return {
    run(attempt, send) {
      let around = storage.getStore()
      // An attempt may be made in the context of the one before it, which is over then.
      while (around?.over === true) around = around.within
      attempt.within = around
      return storage.run(attempt, send)
    },
    evidence: (attempt, error, aborted) => evidenceOf(attempt, error, aborted, connectErrors),
    closeIdle: sockets.closeIdle,
  }
}

function originOf({ origin = '' }: { readonly origin?: string | URL }): string {
  return typeof origin === 'string' && origin.endsWith('/') ? origin.slice(0, -1) : String(typeof origin === 'string' ? origin : origin.origin)
}

/** What a ProxyAgent sends before a request. */
function isTunnel({ method }: { readonly method?: string }): boolean {
  return method === 'CONNECT'
}

function isOf(request: { readonly origin?: string | URL; readonly method?: string }, { origin, method }: Attempt): boolean {
  // A dispatcher for one origin need not be told it.
  return (origin === '' || originOf(request) === origin) && request.method === method
}
