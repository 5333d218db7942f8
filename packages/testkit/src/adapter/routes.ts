import { NoEffectError } from '@hopwise/core'
import type { IdempotentRunLike } from './contract.js'

/** What a contract route's handler gets, read by the framework's own means. */
export interface RouteInput {
  /** The body as the handler received it. */
  readonly body: Uint8Array
  /** The id from the request's context, read after an await. */
  readonly requestId: string | undefined
  /** The idempotent run, where there is one. */
  readonly run: IdempotentRunLike | undefined
  /** The value of `?name=` in the target, for control routes. */
  readonly query: (name: string) => string | undefined
}

/** What a contract route answers; to be written by the framework's own means for each kind. */
export type RouteOutput =
  | { readonly kind: 'json'; readonly status: number; readonly fields: readonly (readonly [string, string])[]; readonly value: unknown }
  | { readonly kind: 'bytes'; readonly status: number; readonly fields: readonly (readonly [string, string])[]; readonly bytes: Uint8Array }
  | { readonly kind: 'stream'; readonly status: number; readonly fields: readonly (readonly [string, string])[]; readonly chunks: AsyncIterable<Uint8Array> }
  | { readonly kind: 'empty'; readonly status: number; readonly fields: readonly (readonly [string, string])[] }
  | { readonly kind: 'throw'; readonly message: string }

/** One route that an adapter under test has to serve. */
export interface ContractRoute {
  readonly method: 'GET' | 'POST'
  readonly path: string
  /** Whether the idempotency middleware stands before the handler. */
  readonly idempotent: boolean
  readonly handle: (input: RouteInput) => Promise<RouteOutput>
}

/** The fields of an output for a framework that sets them by name: one value, or all of them. */
export function fieldsByName(fields: readonly (readonly [name: string, value: string])[]): [name: string, value: string | string[]][] {
  return [...new Set(fields.map(([name]) => name))].map((name) => {
    const [first = '', ...more] = fields.filter(([other]) => other === name).map(([, value]) => value)
    return [name, more.length === 0 ? first : [first, ...more]]
  })
}

const text = (value: string): Uint8Array => new TextEncoder().encode(value)

/** The routes of the contract, with state of their own: boot each server with a fresh set. */
export function contractRoutes(): ContractRoute[] {
  const executions = new Map<string, number>()
  const gates = new Map<string, { open: () => void; opened: Promise<void>; reached: Promise<void>; reach: () => void }>()
  const count = (path: string): number => {
    const next = (executions.get(path) ?? 0) + 1
    executions.set(path, next)
    return next
  }
  const gate = (name: string) => {
    const known = gates.get(name)
    if (known !== undefined) return known
    const opened = deferred()
    const reached = deferred()
    const made = { open: opened.resolve, opened: opened.promise, reach: reached.resolve, reached: reached.promise }
    gates.set(name, made)
    return made
  }
  const post = (path: string, handle: (input: RouteInput, n: number) => Promise<RouteOutput> | RouteOutput): ContractRoute => ({
    method: 'POST',
    path,
    idempotent: true,
    handle: async (input) => handle(input, count(path)),
  })
  const get = (path: string, handle: (input: RouteInput) => Promise<unknown> | unknown): ContractRoute => ({
    method: 'GET',
    path,
    idempotent: false,
    handle: async (input) => ({ kind: 'json', status: 200, fields: [], value: (await handle(input)) ?? null }),
  })

  return [
    post('/orders', (_input, n) => ({
      kind: 'json',
      status: 201,
      fields: [['location', `/orders/${n}`], ['set-cookie', `sid=${n}`], ['x-order', String(n)], ['cache-control', 'no-store']],
      value: { n, name: 'Café ☕' },
    })),
    post('/echo', ({ body }, n) => ({ kind: 'bytes', status: 200, fields: [['content-type', 'application/octet-stream'], ['x-run', String(n)]], bytes: body })),
    post('/binary', (_input, n) => ({ kind: 'bytes', status: 200, fields: [['content-type', 'image/png'], ['x-run', String(n)]], bytes: Uint8Array.of(0x89, 0x50, 0xff, 0xfe, 0, n) })),
    post('/stream', (_input, n) => ({
      kind: 'stream',
      status: 200,
      fields: [['content-type', 'text/plain'], ['x-run', String(n)]],
      chunks: (async function* () {
        yield text('first;')
        await gate('stream').opened
        yield text('second;')
        yield text('last')
      })(),
    })),
    post('/large', (_input, n) => ({ kind: 'bytes', status: 200, fields: [['content-type', 'application/octet-stream'], ['x-run', String(n)]], bytes: new Uint8Array(10 * 2 ** 20).fill(n) })),
    post('/empty', (_input, n) => ({ kind: 'empty', status: 204, fields: [['x-run', String(n)]] })),
    post('/not-modified', (_input, n) => ({ kind: 'empty', status: 304, fields: [['etag', `"${n}"`]] })),
    post('/linked', (_input, n) => ({ kind: 'json', status: 200, fields: [['link', `</orders/${n}>; rel="self"`], ['link', '</orders>; rel="up"'], ['vary', 'accept']], value: { n } })),
    post('/see-other', (_input, n) => ({ kind: 'empty', status: 303, fields: [['location', `/orders/${n}`]] })),
    post('/declined', (_input, n) => ({ kind: 'json', status: 402, fields: [], value: { error: 'card_declined', attempt: n } })),
    post('/broken', (_input, n) => ({ kind: 'json', status: 500, fields: [], value: { error: 'after the effect', attempt: n } })),
    post('/throw', (_input, n) => ({ kind: 'throw', message: `thrown by run ${n}` })),
    post('/busy', (_input, n) => ({ kind: 'json', status: 429, fields: [['retry-after', '1']], value: { attempt: n } })),
    post('/released', ({ run }, n) => {
      run?.release()
      return { kind: 'json', status: 502, fields: [], value: { attempt: n, fence: run?.fence } }
    }),
    post('/no-effect', () => {
      throw new NoEffectError('the card was not charged')
    }),
    post('/events', () => ({
      kind: 'stream',
      status: 200,
      fields: [['content-type', 'text/event-stream']],
      chunks: (async function* () {
        yield text('data: 1\n\n')
        yield text('data: 2\n\n')
      })(),
    })),
    post('/phases', async ({ run }, n) => {
      const charge = await run?.phase('charge', () => `charged by run ${n}`)
      return { kind: 'json', status: n === 1 ? 429 : 201, fields: [], value: { charge, key: await run?.deriveKey('charge') } }
    }),
    post('/gated', async (_input, n) => {
      gate('gated').reach()
      await gate('gated').opened
      return { kind: 'json', status: 201, fields: [], value: { n } }
    }),
    get('/who', ({ requestId }) => ({ requestId })),
    get('/control/executions', ({ query }) => ({ executions: executions.get(query('path') ?? '') ?? 0 })),
    get('/control/open', ({ query }) => gate(query('gate') ?? '').open()),
    get('/control/reached', ({ query }) => gate(query('gate') ?? '').reached),
  ]
}

function deferred() {
  let resolve: () => void = () => {}
  const promise = new Promise<void>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
