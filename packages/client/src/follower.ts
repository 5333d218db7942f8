/** A signal of one's own that is aborted with others. */
export interface Follower {
  readonly signal: AbortSignal
  /** Aborts it, and no other. */
  abort(reason?: unknown): void
  /** Follows no longer: nothing of it is left with the others. */
  release(): void
}

/** A signal, where there is one. */
export type Source = AbortSignal | null | undefined

/**
 * A signal that follows others until it is released. AbortSignal.any cannot be released, and leaves something of each call with a
 * signal that lives on (measured by the heap, Node 20.20 and 22.23; not 24).
 */
export function follow(sources: readonly Source[]): Follower {
  const own = new AbortController()
  const stops = present(sources).map((source) => onAbort(source, () => own.abort(source.reason)))
  return { signal: own.signal, abort: (reason) => own.abort(reason), release: () => stops.forEach((stop) => stop()) }
}

/** The same for where nobody tells when to release it: it goes with whoever listens to it. */
export function followAlways(sources: readonly Source[]): Follower {
  const own = new AbortController()
  const given = present(sources)
  return { signal: given.length === 0 ? own.signal : AbortSignal.any([own.signal, ...given]), abort: (reason) => own.abort(reason), release() {} }
}

/** Those that there are. */
export function present(sources: readonly Source[]): AbortSignal[] {
  return sources.filter((source) => source !== null && source !== undefined)
}

/** Whom each signal is to tell. It has one listener for all of them: Node 20 warns of an eleventh, and many calls may share a signal. */
const told = new WeakMap<AbortSignal, { readonly callbacks: Set<() => void>; readonly stop: () => void }>()

/** Calls back when the signal is aborted, at once where it is. What it gives prevents that. */
function onAbort(signal: AbortSignal, callback: () => void): () => void {
  if (signal.aborted) {
    callback()
    return () => {}
  }
  const { callbacks, stop } = told.get(signal) ?? listenTo(signal)
  callbacks.add(callback)
  return () => {
    if (callbacks.delete(callback) && callbacks.size === 0) stop()
  }
}

function listenTo(signal: AbortSignal) {
  const callbacks = new Set<() => void>()
  const tell = (): void => callbacks.forEach((callback) => callback())
  signal.addEventListener('abort', tell, { once: true })
  const stop = (): void => {
    signal.removeEventListener('abort', tell)
    told.delete(signal)
  }
  const entry = { callbacks, stop }
  told.set(signal, entry)
  return entry
}
