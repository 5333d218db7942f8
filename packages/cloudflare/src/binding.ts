import { HopwiseError } from '@hopwise/core'

/** What a binding of a Worker may be, each with the words for it and where it is declared. */
const kinds = {
  object: { called: 'a Durable Object namespace', declared: '[[durable_objects.bindings]]' },
  database: { called: 'a D1 database', declared: '[[d1_databases]]' },
  kv: { called: 'a KV namespace', declared: '[[kv_namespaces]]' },
} as const

/** The kinds of bindings that this package uses. */
export type BindingKind = keyof typeof kinds

/**
 * Demands that an option is a binding of the right kind. The options need not be an object yet.
 * @throws HopwiseError `option-invalid` that names what was given, what is allowed, and where it is declared
 */
export function demandBinding(owner: string, options: unknown, option: string, kind: BindingKind): void {
  const value = (options as Readonly<Record<string, unknown>> | undefined | null)?.[option]
  const found = kindOf(value)
  if (found === kind) return
  const { called, declared } = kinds[kind]
  const hint = value === undefined ? '; is the binding there, in this environment, and spelled the same?' : found === 'kv' ? `. ${whyNotKv}` : ''
  throw new HopwiseError('option-invalid', `${owner}: option "${option}" is ${describe(value)}; allowed: ${called}, env.NAME of ${declared} in wrangler.toml${hint}`)
}

/** Why KV cannot hold claims, and what it can be. */
export const whyNotKv = 'KV has no atomic write: two claims of one key would both succeed. It can be a cache of results: kvReplayCache({ namespace, store })'

/** What was given, in words. */
export function describe(value: unknown): string {
  const kind = kindOf(value)
  if (kind !== undefined) return kinds[kind].called
  if (value === undefined || value === null) return String(value)
  if (typeof value === 'object' || typeof value === 'function') {
    const name = constructorOf(value)
    return name === undefined || name === 'Object' ? `${typeof value === 'function' ? 'a function' : 'an object'}` : `an object of ${name}`
  }
  return typeof value === 'string' ? JSON.stringify(value).slice(0, 80) : String(value)
}

/** The kind of a value, which may be a wrapper around a binding; `undefined` where it is none of them. */
export function kindOf(value: unknown): BindingKind | undefined {
  if (typeof value !== 'object' || value === null) return undefined
  // A stub or a service binding has every method that is asked for: each would be a call.
  if (['Fetcher', 'DurableObject', 'ServiceStub', 'RpcStub'].includes(constructorOf(value) ?? '')) return undefined
  const methods = value as Readonly<Record<string, unknown>>
  const has = (...names: readonly string[]) => names.every((name) => typeof methods[name] === 'function')
  if (has('idFromName', 'get')) return 'object'
  if (has('prepare', 'batch', 'exec')) return 'database'
  if (has('getWithMetadata', 'put')) return 'kv'
  return undefined
}

function constructorOf(value: object): string | undefined {
  const constructor: unknown = Reflect.get(value, 'constructor')
  return typeof constructor === 'function' ? constructor.name : undefined
}
