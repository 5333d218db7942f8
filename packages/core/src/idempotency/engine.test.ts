import { describe, expect, test, vi } from 'vitest'
import type { Fields, PlainResponse } from '../http.js'
import { createIdempotency, type Decision, type Idempotency } from './engine.js'
import type { IdempotencyEvents } from './events.js'
import type { Incoming } from './incoming.js'
import { memoryStore } from './memory-store.js'
import type { IdempotencyOptions } from './options.js'

interface Caller {
  readonly user?: unknown
}

const bytes = (text: string) => new TextEncoder().encode(text)
const hex64 = expect.stringMatching(/^[0-9a-f]{64}$/) as string
const someTime = expect.any(Number) as number

/** An engine over a memory store with a clock that stands still until it is moved. */
function setUp(options: Partial<IdempotencyOptions<Caller>> = {}) {
  const clock = { now: 0 }
  const memory = memoryStore({ now: () => clock.now })
  const store = { ...memory, claim: vi.fn(memory.claim) }
  const principal = vi.fn((native: Caller) => native.user as string | undefined)
  const engine = createIdempotency<Caller>({ store, ...(options.scope === 'global' ? {} : { principal }), ...options })
  return { engine, store, principal, clock, told: listen(engine) }
}

function listen(engine: Idempotency<Caller>) {
  const told: [string, unknown][] = []
  const names: (keyof IdempotencyEvents)[] = ['claimed', 'taken-over', 'replayed', 'conflict', 'mismatch', 'outcome-unknown', 'completed', 'released', 'stale-complete', 'lease-lost', 'run-too-long', 'store-error']
  for (const name of names) engine.on(name, (event) => told.push([name, event]))
  return told
}

function request(changes: Partial<Incoming<Caller>> & { key?: string | readonly string[]; json?: string; type?: string } = {}): Incoming<Caller> & { body: ReturnType<typeof vi.fn<Incoming<Caller>['body']>> } {
  const { key = 'key-1', json = '{"amount":100}', type = 'application/json', ...rest } = changes
  const fields: Record<string, readonly string[]> = { 'idempotency-key': typeof key === 'string' ? [key] : key, 'content-type': [type] }
  return {
    method: 'POST',
    target: '/orders?dry=0',
    route: '/orders',
    field: (name) => fields[name] ?? [],
    requestId: 'request-1',
    native: { user: 'alice' },
    ...rest,
    body: vi.fn(rest.body ?? (async () => bytes(json))),
  }
}

function replyOf(decision: Decision): PlainResponse {
  return decision.kind === 'reply' ? decision.response : expect.fail(`the request is to ${decision.kind}`)
}

function ticketOf(decision: Decision) {
  return decision.kind === 'run' ? decision.ticket : expect.fail(`the request is to ${decision.kind}`)
}

/** A refusal in short: its status and code, and when to come again. */
function refusal(decision: Decision) {
  const { status, fields, body } = replyOf(decision)
  expect(fields).toContainEqual(['content-type', 'application/problem+json'])
  const { type, detail } = JSON.parse(new TextDecoder().decode(body)) as { type: string; detail: string }
  return { status, code: type.replace('urn:hopwise:problem:', ''), detail, retryAfter: fields.find(([name]) => name === 'retry-after')?.[1] }
}

const created = { status: 201, fields: [['content-type', 'application/json'], ['location', '/orders/7'], ['set-cookie', 'sid=alice']] as Fields, body: Uint8Array.of(0x7b, 0xff, 0x00, 0x7d) }
const run = async (engine: Idempotency<Caller>, incoming = request()) => ticketOf(await engine.begin(incoming)).settle(created)

describe('what is not protected passes, and nothing of it is looked at', () => {
  test.each(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'post'])('a %s with a key', async (method) => {
    const { engine, store, principal } = setUp()
    const incoming = request({ method })
    expect(await engine.begin(incoming)).toEqual({ kind: 'pass' })
    expect(incoming.body).not.toHaveBeenCalled()
    expect(principal).not.toHaveBeenCalled()
    expect(store.claim).not.toHaveBeenCalled()
  })

  test('a POST, where only PUT is protected', async () => {
    const { engine } = setUp({ methods: ['put'] })
    expect(await engine.begin(request())).toEqual({ kind: 'pass' })
    expect((await engine.begin(request({ method: 'PUT' }))).kind).toBe('run')
  })

  test('a POST without a key, where none is required', async () => {
    const { engine, store, principal } = setUp({ required: false })
    const incoming = request({ key: [] })
    expect(await engine.begin(incoming)).toEqual({ kind: 'pass' })
    expect(incoming.body).not.toHaveBeenCalled()
    expect(principal).not.toHaveBeenCalled()
    expect(store.claim).not.toHaveBeenCalled()
  })
})

describe('400', () => {
  test('for a missing key, by the name of the field', async () => {
    expect(refusal(await setUp().engine.begin(request({ key: [] })))).toMatchObject({ status: 400, code: 'key-missing', detail: expect.stringContaining('idempotency-key') as string })
    const other = setUp({ header: 'X-Operation-Id' })
    expect(refusal(await other.engine.begin(request()))).toMatchObject({ status: 400, code: 'key-missing', detail: expect.stringContaining('x-operation-id') as string })
  })

  test.each<[string, string | string[]]>([
    ['an empty key', ''],
    ['a list', 'a, b'],
    ['a repeated field', ['a', 'a']],
    ['256 characters', 'a'.repeat(256)],
    ['a control character', 'a\u0007b'],
  ])('for %s, required or not', async (_what, key) => {
    for (const required of [true, false]) {
      const { engine, store, principal } = setUp({ required })
      const incoming = request({ key })
      expect(refusal(await engine.begin(incoming))).toMatchObject({ status: 400, code: 'key-invalid', detail: 'Send 1 to 255 visible ASCII characters, quoted or without , ; " and \\' })
      expect(incoming.body).not.toHaveBeenCalled()
      expect(principal).not.toHaveBeenCalled()
      expect(store.claim).not.toHaveBeenCalled()
    }
  })

  test.each<[string, unknown]>([
    ['nothing', undefined],
    ['an empty string', ''],
    ['null', null],
    ['a number', 7],
    ['an object', { id: 7 }],
  ])('for a caller who is %s, before the body is read', async (_what, user) => {
    for (const principal of [(native: Caller) => native.user as string, async (native: Caller) => native.user as string]) {
      const { engine, store } = setUp({ principal })
      const incoming = request({ native: { user } })
      expect(refusal(await engine.begin(incoming))).toMatchObject({ status: 400, code: 'principal-missing' })
      expect(incoming.body).not.toHaveBeenCalled()
      expect(store.claim).not.toHaveBeenCalled()
    }
  })
})

test('413 for a body that is larger than it may be, by the limit that was said', async () => {
  const { engine, store } = setUp({ maxRequestBytes: 10 })
  const incoming = request({ body: async () => 'too-large' })
  expect(refusal(await engine.begin(incoming))).toMatchObject({ status: 413, code: 'body-too-large', detail: expect.stringContaining('at most 10 bytes') as string })
  expect(incoming.body.mock.calls).toEqual([[10]])
  expect(store.claim).not.toHaveBeenCalled()
})

describe('what the user\'s own code throws', () => {
  const broken = new Error('no session')

  test.each<[string, IdempotencyOptions<Caller>['principal']]>([
    ['at once', () => { throw broken }],
    ['later', async () => { throw broken }],
  ])('in principal, %s, comes out of begin, and nothing is claimed', async (_when, principal) => {
    const { engine, store, told } = setUp({ principal: principal ?? (() => undefined) })
    await expect(engine.begin(request())).rejects.toBe(broken)
    expect(store.claim).not.toHaveBeenCalled()
    expect(told).toEqual([])
  })

  test('in reading the body comes out of begin, and nothing is claimed', async () => {
    const { engine, store, told } = setUp()
    await expect(engine.begin(request({ body: () => Promise.reject(broken) }))).rejects.toBe(broken)
    expect(store.claim).not.toHaveBeenCalled()
    expect(told).toEqual([])
  })
})

describe('the first request', () => {
  test('runs with a ticket, by one round trip', async () => {
    const { engine, store, told } = setUp({ lease: '10s', retention: '2h', maxResponseBytes: 77 })
    const ticket = ticketOf(await engine.begin(request()))
    expect(ticket).toMatchObject({ key: hex64, attempt: 1, fence: 1, captureLimit: 77 })
    expect(store.claim.mock.calls).toEqual([
      [{ key: ticket.key, owner: expect.stringMatching(/^[0-9a-f-]{36}$/) as string, fingerprint: hex64, lease: 10_000, retention: 7_200_000, expired: 'take' }],
    ])
    expect(told).toEqual([['claimed', { key: ticket.key, fence: 1, took: someTime }]])
    await ticket.settle(created)
    expect(told[1]).toEqual(['completed', { key: ticket.key, fence: 1, status: 201, bodyKept: true, ran: someTime }])
  })

  test('each claim has an owner of its own', async () => {
    const { engine, store } = setUp()
    for (let index = 0; index < 20; index++) await engine.begin(request())
    expect(new Set(store.claim.mock.calls.map(([claim]) => claim.owner)).size).toBe(20)
  })
})

describe('a repeated request', () => {
  test('gets the same status, fields and bytes, and the first one\'s id', async () => {
    const { engine, told } = setUp()
    await run(engine)
    const replay = replyOf(await engine.begin(request({ requestId: 'request-2' })))
    expect(replay).toEqual({
      status: 201,
      fields: [['content-type', 'application/json'], ['location', '/orders/7'], ['idempotent-replayed', 'true'], ['x-original-request-id', 'request-1']],
      body: created.body,
    })
    expect(told.at(-1)).toEqual(['replayed', { key: hex64, status: 201, bodyKept: true, took: someTime }])
  })

  test('gets a 500 that was the result', async () => {
    const { engine } = setUp()
    await ticketOf(await engine.begin(request())).settle({ ...created, status: 500 })
    expect(replyOf(await engine.begin(request())).status).toBe(500)
  })

  test('gets the fact without the body, where that was too large to keep', async () => {
    const { engine, told } = setUp()
    await ticketOf(await engine.begin(request())).settle({ ...created, body: null })
    const replay = replyOf(await engine.begin(request()))
    expect(replay.fields).toContainEqual(['idempotent-body', 'omitted'])
    expect(replay).toMatchObject({ status: 201, body: Uint8Array.of() })
    expect(told.at(-1)).toEqual(['replayed', { key: hex64, status: 201, bodyKept: false, took: someTime }])
  })

  test('is the same with the key in quotes', async () => {
    const { engine } = setUp()
    await run(engine, request({ key: 'abc-1' }))
    expect(replyOf(await engine.begin(request({ key: '"abc-1"' }))).status).toBe(201)
  })

  test.each([408, 425, 429])('runs again after %i', async (status) => {
    const { engine, told } = setUp()
    await ticketOf(await engine.begin(request())).settle({ ...created, status })
    const ticket = ticketOf(await engine.begin(request()))
    expect(ticket).toMatchObject({ attempt: 2, fence: 2 })
    expect(told.map(([name]) => name)).toEqual(['claimed', 'released', 'taken-over'])
  })

  test('runs again after release(), and may then be another request', async () => {
    const { engine } = setUp()
    const first = ticketOf(await engine.begin(request()))
    first.release()
    expect(await first.settle({ ...created, status: 500 })).toEqual({ kind: 'send' })
    expect(ticketOf(await engine.begin(request({ json: '{"amount":200}' })))).toMatchObject({ attempt: 2 })
  })

  test('runs again once the retention is over', async () => {
    const { engine, clock } = setUp({ retention: '1h' })
    await run(engine)
    clock.now += 3_600_000
    expect((await engine.begin(request())).kind).toBe('run')
  })
})

describe('409', () => {
  test.each([[0, '30'], [12_300, '18'], [29_001, '1'], [29_999.5, '1']])('%d ms after the claim says to come again in %s s', async (passed, retryAfter) => {
    const { engine, clock, told } = setUp()
    await engine.begin(request())
    clock.now += passed
    expect(refusal(await engine.begin(request()))).toMatchObject({ status: 409, code: 'key-in-progress', retryAfter })
    expect(told.at(-1)).toEqual(['conflict', { key: hex64, leaseLeft: Math.ceil(30_000 - passed), took: someTime }])
  })

  test('of many begins at once, all but one', async () => {
    const { engine, told } = setUp()
    const decisions = await Promise.all(Array.from({ length: 50 }, () => engine.begin(request())))
    expect(decisions.filter(({ kind }) => kind === 'run')).toHaveLength(1)
    expect(decisions.filter(({ kind }) => kind === 'reply').map((decision) => refusal(decision).status)).toEqual(Array.from({ length: 49 }, () => 409))
    expect(told.filter(([name]) => name === 'claimed')).toHaveLength(1)
  })
})

describe('422 for another request with the same key', () => {
  const others = {
    'another body': request({ json: '{"amount":200}' }),
    'the same JSON in another order': request({ json: '{ "amount":100}' }),
    'another query': request({ target: '/orders?dry=1' }),
    'another content type': request({ type: 'application/json; charset=utf-8' }),
  }

  test.each(Object.entries(others))('%s: while the first one runs, before 409, and when it is done', async (_what, other) => {
    const { engine, told } = setUp()
    const ticket = ticketOf(await engine.begin(request()))
    expect(refusal(await engine.begin(other))).toMatchObject({ status: 422, code: 'key-reused', retryAfter: undefined })
    expect(told.at(-1)).toEqual(['mismatch', { key: ticket.key, took: someTime }])
    await ticket.settle(created)
    expect(refusal(await engine.begin(other))).toMatchObject({ status: 422, code: 'key-reused' })
    expect(replyOf(await engine.begin(request())).status).toBe(201)
  })

  test('another id of the same route', async () => {
    const { engine } = setUp()
    await run(engine, request({ route: '/orders/:id/pay', target: '/orders/7/pay' }))
    expect(refusal(await engine.begin(request({ route: '/orders/:id/pay', target: '/orders/8/pay' })))).toMatchObject({ status: 422 })
  })
})

describe('keys of different scopes do not meet', () => {
  test.each<[string, Partial<Incoming<Caller>>]>([
    ['callers', { native: { user: 'mallory' } }],
    ['routes', { route: '/payments', target: '/payments' }],
    ['methods', { method: 'PATCH' }],
  ])('of different %s', async (_what, changes) => {
    const { engine } = setUp()
    await run(engine)
    expect(ticketOf(await engine.begin(request(changes)))).toMatchObject({ attempt: 1 })
  })

  test('unless all callers are said to be one', async () => {
    const { engine } = setUp({ scope: 'global' })
    await run(engine)
    expect(replyOf(await engine.begin(request({ native: { user: 'mallory' } }))).status).toBe(201)
    expect(replyOf(await engine.begin(request({ native: {} }))).status).toBe(201)
  })
})
