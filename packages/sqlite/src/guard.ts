/**
 * The same object for as long as `demand` does not throw: every method asks it first with its name, also those of the
 * statements that it prepares. A handler that goes on after its response would otherwise write into the next request's
 * transaction.
 */
export function guard<T extends object>(target: T, demand: (method: string | symbol) => void): T {
  const guarded: T = new Proxy(target, {
    get(_target, name) {
      // With the target as `this`: the drivers' classes are native, or have private fields.
      const value: unknown = Reflect.get(target, name, target)
      if (typeof value !== 'function' || name === 'constructor') return value
      return (...values: unknown[]) => {
        demand(name)
        const result: unknown = Reflect.apply(value, target, values)
        if (result === target) return guarded
        return isStatement(result) ? guard(result, demand) : result
      }
    },
    set: (_target, name, value) => Reflect.set(target, name, value, target),
  })
  return guarded
}

function isStatement(value: unknown): value is object {
  return typeof value === 'object' && value !== null && typeof (value as { readonly run?: unknown }).run === 'function'
}
