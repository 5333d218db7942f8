/** What time is read from, and what waits. Injected in tests. */
export interface Clock {
  /** Milliseconds of a clock that never goes back. */
  now(): number
  /** Milliseconds since the epoch, for dates that a server sends. */
  wall(): number
  /**
   * Calls `callback` once, `ms` from now; the returned function prevents it.
   * @param background whether the process may end meanwhile
   */
  after(ms: number, callback: () => void, background?: boolean): () => void
}

/** The clock of the runtime. */
export const systemClock: Clock = {
  now: () => performance.now(),
  wall: () => Date.now(),
  after(ms, callback, background = false) {
    const timer: unknown = setTimeout(callback, ms)
    if (background && hasUnref(timer)) timer.unref()
    return () => clearTimeout(timer as Parameters<typeof clearTimeout>[0])
  },
}

function hasUnref(timer: unknown): timer is { unref(): void } {
  return typeof timer === 'object' && timer !== null && 'unref' in timer && typeof timer.unref === 'function'
}
