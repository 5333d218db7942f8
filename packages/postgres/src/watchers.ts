import type { Listener } from './query.js'

/** All watchers of a store behind one LISTEN. */
export interface Watchers {
  /** Resolves when the server listens; see `watch` of the store contract. */
  watch(key: string, wake: () => void): Promise<() => void>
  /** Ends listening. A later watch begins it anew. */
  close(): Promise<void>
}

/** Listens from the first watch on, and calls whoever watches the key that a notification names. */
export function shareListener(listener: Listener, channel: string): Watchers {
  const watching = new Map<string, Set<() => void>>()
  let listening: Promise<() => Promise<void>> | undefined

  const wakeAll = (wakes: Iterable<() => void> | undefined): void => {
    for (const wake of wakes ?? []) wake()
  }
  const listen = (): Promise<unknown> => {
    const begun = (listening ??= listener.listen(
      channel,
      (key) => wakeAll(watching.get(key)),
      () => wakeAll([...watching.values()].flatMap((wakes) => [...wakes])),
    ))
    return begun.catch((error: unknown) => {
      // The next watch tries again.
      if (listening === begun) listening = undefined
      throw error
    })
  }

  return {
    async watch(key, wake) {
      const wakes = watching.get(key) ?? new Set()
      watching.set(key, wakes)
      // Of its own, since two watchers may hand in one function.
      const own = () => wake()
      wakes.add(own)
      const unwatch = (): void => {
        wakes.delete(own)
        if (wakes.size === 0 && watching.get(key) === wakes) watching.delete(key)
      }
      try {
        await listen()
      } catch (error) {
        unwatch()
        throw error
      }
      return unwatch
    },
    async close() {
      const stop = await listening?.catch(() => undefined)
      listening = undefined
      await stop?.()
    },
  }
}
