import { Events, functionField, parseOptions, type EventSource } from '@hopwise/core'
import type { Fetch } from './attempt.js'
import { callOnce } from './call.js'
import type { ClientEvents } from './events.js'
import { commonFields, readSettings, type CommonOptions } from './options.js'
import type { ClientInit } from './order.js'
import type { VerdictRules } from './retry-rules.js'
import { findRuntime, type Runtime } from './runtime.js'

/** The options of {@link createClient}. */
export interface ClientOptions extends CommonOptions {
  /** The fetch that is wrapped. [globalThis.fetch, as it is at each call] */
  readonly fetch?: typeof globalThis.fetch
}

/** A fetch that repairs and retries. */
export type Client = ((input: string | URL | Request, init?: ClientInit) => Promise<Response>) & EventSource<ClientEvents>

/** What tests put in the place of what is found. */
export interface ClientParts {
  readonly rules?: VerdictRules
  readonly runtime?: Runtime
}

/**
 * Makes a fetch that survives closed connections, and sends nothing twice that must not be. It takes what fetch takes, and `getBody`.
 * A failed call rejects with a {@link RequestError}; a response that is not to be tried again, whatever its status, is handed over.
 * @throws HopwiseError `option-unknown`, `option-invalid`, `chain-invalid`
 * @example
 * const api = createClient({ chain: ['alb'], trustedOrigins: ['https://api.example.com'] })
 * const response = await api('https://api.example.com/orders', { method: 'POST', body: '{"item":"tea"}' })
 */
export function createClient(options?: ClientOptions): Client {
  return createClientOf(options, {})
}

/** {@link createClient} with other parts than those of the runtime. */
export function createClientOf(options: ClientOptions | undefined, { rules, runtime = findRuntime() }: ClientParts): Client {
  const { fetch: given, ...common } = parseOptions('createClient', options, { ...commonFields, fetch: functionField<Fetch>('a fetch') })
  const settings = readSettings('createClient', common, rules)
  const events = new Events<ClientEvents>()
  const fetch: Fetch = given ?? ((input, init) => globalThis.fetch(input, init))
  const context = { settings, runtime, fetch, events }
  return Object.assign((input: string | URL | Request, init?: ClientInit) => callOnce(input, init, context), { on: events.on.bind(events) })
}
