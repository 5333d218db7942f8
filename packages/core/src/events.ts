import { errorText } from './errors.js'

/** Events by name, each with the one value that its listeners get. */
export type EventMap = Readonly<Record<string, unknown>>

/** The listening side of an {@link Events}. */
export interface EventSource<M extends object> {
  /**
   * Calls `listener` at each `name` event, synchronously, until the returned function is called.
   * A listener that throws stops neither the request nor the other listeners; what it threw goes to `console.error`.
   */
  on<K extends keyof M>(name: K, listener: (event: M[K]) => void): () => void
}

/** A typed emitter that costs one map look-up where nobody listens: the event's value is made only for a listener. */
export class Events<M extends object> implements EventSource<M> {
  readonly #listeners = new Map<keyof M, Set<(event: never) => void>>()

  on<K extends keyof M>(name: K, listener: (event: M[K]) => void): () => void {
    const set = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, set)
    set.add(listener)
    return () => {
      set.delete(listener)
    }
  }

  /** Emits `name`; `make` is called once, and only if somebody listens. Gives whether somebody did. */
  emit<K extends keyof M>(name: K, make: () => M[K]): boolean {
    const set = this.#listeners.get(name)
    if (set === undefined || set.size === 0) return false
    const event = make()
    for (const listener of set as Set<(event: M[K]) => void>) {
      try {
        listener(event)
      } catch (error) {
        console.error(`hopwise: a listener of ${JSON.stringify(String(name))} threw: ${errorText(error)}`)
      }
    }
    return true
  }
}
