import { errorText } from './errors.js'

/** The listening side of an {@link Events}. */
export interface EventSource<M extends object> {
  /**
   * Calls `listener` at each `name` event, synchronously, until the returned function is called.
   * A listener that throws, or gives a promise that rejects, stops neither the request nor the other listeners; what
   * it threw goes to `console.error`.
   */
  on<K extends keyof M>(name: K, listener: (event: M[K]) => void): () => void
}

/** A typed emitter that costs one map look-up where nobody listens: the event's value is made only for a listener. */
export class Events<M extends object> implements EventSource<M> {
  readonly #listeners = new Map<keyof M, Set<(event: never) => unknown>>()

  readonly on = <K extends keyof M>(name: K, listener: (event: M[K]) => void): (() => void) => {
    const set = this.#listeners.get(name) ?? new Set()
    this.#listeners.set(name, set)
    // An entry of its own for each call: the same function may listen twice, and each is ended by its own return value.
    const entry = (event: M[K]): unknown => listener(event)
    set.add(entry)
    return () => {
      set.delete(entry)
    }
  }

  /** Emits `name`; `make` is called once, and only if somebody listens. Gives whether somebody did. */
  emit<K extends keyof M>(name: K, make: () => M[K]): boolean {
    const set = this.#listeners.get(name)
    if (!set?.size) return false
    const event = make()
    const failed = (error: unknown): void => {
      console.error(`hopwise: a listener of "${name as string}" threw: ${errorText(error)}`)
    }
    // A copy: a listener that subscribes anew while it is called waits for the next event.
    for (const entry of [...set] as ((event: M[K]) => unknown)[]) {
      try {
        const result = entry(event)
        // An async listener is a valid one; left alone, its rejection would end a Node process.
        if (result instanceof Promise) result.catch(failed)
      } catch (error) {
        failed(error)
      }
    }
    return true
  }
}
