import type { ObjectNamespaceLike } from '../index.js'

/** A namespace whose objects are those of nobody else, and which tells how often they were called, and by which methods. */
export interface ApartNamespace extends ObjectNamespaceLike {
  readonly calls: string[]
  /** The names of the objects that were called. */
  readonly names: string[]
}

let made = 0

/** Makes the objects of one test: real ones, under names of their own. */
export function apart(namespace: ObjectNamespaceLike): ApartNamespace {
  const prefix = `apart-${++made}:`
  const calls: string[] = []
  const names: string[] = []
  return {
    calls,
    names,
    idFromName(name) {
      names.push(name)
      return namespace.idFromName(prefix + name)
    },
    get(id) {
      const stub = namespace.get(id) as Record<string, (...values: unknown[]) => unknown>
      const call = (method: string) => (...values: unknown[]) => {
        calls.push(method)
        return stub[method]?.(...values)
      }
      return new Proxy({}, { get: (_target, method) => call(String(method)) })
    },
  }
}
