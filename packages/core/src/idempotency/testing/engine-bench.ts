import { createIdempotency, type Idempotency } from '../engine.js'
import type { IdempotencyEvents } from '../events.js'
import type { Incoming } from '../incoming.js'
import { memoryStore } from '../memory-store.js'
import type { IdempotencyOptions } from '../options.js'
import type { IdempotencyStore } from '../store.js'
import type { Ticket } from '../ticket.js'

/** Plain requests for an engine: one user, JSON, a key. */
export function incoming(overrides: Partial<Incoming<undefined>> & { readonly key?: string; readonly text?: string; readonly type?: string } = {}): Incoming<undefined> {
  const { key = 'key-1', text = '{"a":1}', type = 'application/json', ...rest } = overrides
  const fields: Record<string, readonly string[]> = { 'idempotency-key': [key], 'content-type': [type] }
  return {
    method: 'POST',
    target: '/orders',
    route: '/orders',
    field: (name) => fields[name] ?? [],
    body: async () => new TextEncoder().encode(text),
    requestId: 'request-1',
    native: undefined,
    ...rest,
  }
}

/** An engine over a memory store with an injected clock, and all that it was heard to tell. */
export function bench(options: Partial<IdempotencyOptions<undefined>> = {}, wrap: (store: IdempotencyStore) => IdempotencyStore = (store) => store) {
  let time = 0
  const inner = memoryStore({ now: () => time })
  const store = wrap(inner)
  const engine: Idempotency<undefined> = createIdempotency<undefined>({ store, scope: 'global', ...options })
  const told: { name: keyof IdempotencyEvents; event: unknown }[] = []
  const names: (keyof IdempotencyEvents)[] = [
    'claimed', 'taken-over', 'replayed', 'conflict', 'waited', 'mismatch', 'outcome-unknown', 'completed', 'released',
    'stale-complete', 'lease-lost', 'run-too-long', 'unprotectable', 'store-error',
  ]
  for (const name of names) engine.on(name, (event) => told.push({ name, event }))
  return {
    engine,
    store,
    told,
    /** The names of what was told so far. */
    names: () => told.map(({ name }) => name),
    pass: (milliseconds: number) => {
      time += milliseconds
    },
    /** Begins a request that has to run. */
    run: async (request = incoming()): Promise<Ticket> => {
      const decision = await engine.begin(request)
      if (decision.kind !== 'run') throw new Error(`expected a run, got ${JSON.stringify(decision)}`)
      return decision.ticket
    },
    /** Begins a request that has to be answered. */
    reply: async (request = incoming()) => {
      const decision = await engine.begin(request)
      if (decision.kind !== 'reply') throw new Error(`expected a reply, got ${decision.kind}`)
      return decision.response
    },
  }
}

/** What a handler answers, as plain as it gets. */
export const created = { status: 201, fields: [['content-type', 'text/plain']], body: new TextEncoder().encode('made') } as const
