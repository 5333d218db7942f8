/** Wakes whoever waits until something has come. */
export interface Arrivals {
  /** Something has come. */
  told(): void
  /** Resolves with what `look` finds, at once or once it does. */
  until<T>(look: () => T | undefined): Promise<T>
}

/** Makes an {@link Arrivals}. */
export function createArrivals(): Arrivals {
  const checks = new Set<() => void>()
  return {
    told() {
      for (const check of checks) check()
    },
    until: (look) =>
      new Promise((resolve) => {
        const check = (): void => {
          const found = look()
          if (found === undefined) return
          checks.delete(check)
          resolve(found)
        }
        checks.add(check)
        check()
      }),
  }
}
