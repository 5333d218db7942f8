import { afterEach, describe, expect, test } from 'vitest'
import { RequestError } from './request-error.js'
import { verdictRules, type VerdictRules } from './retry-rules.js'
import { bindings, BrokenBody, warmUp, type Binding, type TestRequest, type TestResponse } from './testing/bindings.js'
import { ok, startFaultServer, type Fault, type FaultServer, type SeenRequest } from './testing/fault-server.js'

const payload = JSON.stringify({ item: 'tea' })
const requests: Readonly<Record<string, TestRequest>> = {
  GET: { method: 'GET' },
  PUT: { method: 'PUT', body: payload },
  DELETE: { method: 'DELETE' },
  POST: { method: 'POST', body: payload },
  'POST without a body': { method: 'POST' },
  PATCH: { method: 'PATCH', body: payload },
  'POST + key': { method: 'POST', body: payload, headers: { 'idempotency-key': 'order-1' } },
}
const isRepeatable = (name: string): boolean => !['POST', 'POST without a body', 'PATCH'].includes(name)

/** What the server does to requests for `/x`; everything else is answered. */
const faults: Readonly<Record<string, (request: SeenRequest) => Fault>> = {
  'a reused connection is closed': ({ nth, before }) => (nth > 1 && before === 0 ? 'fin' : ok),
  'a reused connection is reset': ({ nth, before }) => (nth > 1 && before === 0 ? 'rst' : ok),
  'every connection is closed': () => 'fin',
  'every connection is reset': () => 'rst',
  'the first connection is closed': ({ before }) => (before === 0 ? 'fin' : ok),
  'the header breaks off': () => 'half-header',
  'the body breaks off': () => 'half-body',
  'once 503': ({ before }) => (before === 0 ? { status: 503, body: 'no' } : ok),
  'once 500': ({ before }) => (before === 0 ? { status: 500, body: 'no' } : ok),
}

interface Row {
  readonly sends: number
  readonly outcome: number | string
}

/** What is to come of each fault: for requests that may be repeated, and for those that may not. */
const expected: Readonly<Record<string, { readonly warm: boolean; readonly repeatable: Row; readonly other: Row }>> = {
  'a reused connection is closed': { warm: true, repeatable: { sends: 2, outcome: 200 }, other: { sends: 1, outcome: 'stale-reuse' } },
  'a reused connection is reset': { warm: true, repeatable: { sends: 2, outcome: 200 }, other: { sends: 1, outcome: 'stale-reuse' } },
  'every connection is closed': { warm: false, repeatable: { sends: 3, outcome: 'fresh-loss' }, other: { sends: 1, outcome: 'fresh-loss' } },
  'every connection is reset': { warm: false, repeatable: { sends: 3, outcome: 'fresh-loss' }, other: { sends: 1, outcome: 'fresh-loss' } },
  'the first connection is closed': { warm: false, repeatable: { sends: 2, outcome: 200 }, other: { sends: 1, outcome: 'fresh-loss' } },
  'the header breaks off': { warm: true, repeatable: { sends: 1, outcome: 'response-started' }, other: { sends: 1, outcome: 'response-started' } },
  'the body breaks off': { warm: true, repeatable: { sends: 1, outcome: 'broken-body' }, other: { sends: 1, outcome: 'broken-body' } },
  'once 503': { warm: true, repeatable: { sends: 2, outcome: 200 }, other: { sends: 1, outcome: 503 } },
  'once 500': { warm: true, repeatable: { sends: 1, outcome: 500 }, other: { sends: 1, outcome: 500 } },
}

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Sends one request to a server with that fault; gives how often it came, and what came of it. */
async function row(binding: Binding, fault: string, request: TestRequest, rules?: VerdictRules): Promise<Row & { readonly server: FaultServer }> {
  const server = await startFaultServer((seen) => (seen.target === '/x' ? (faults[fault]?.(seen) ?? ok) : ok))
  const client = await binding.open({ random: () => 0 }, rules)
  closing.push(() => client.close(), () => server.close())
  if (expected[fault]?.warm === true) await warmUp(client.send, server)
  const outcome = await client.send(`${server.origin}/x`, request).then(({ status }: TestResponse) => status, outcomeOf)
  return { sends: server.count('/x'), outcome, server }
}

function outcomeOf(error: unknown): string {
  if (error instanceof BrokenBody) return 'broken-body'
  return error instanceof RequestError ? error.verdict : String(error)
}

describe.each(bindings)('$name', (binding) => {
  describe.each(Object.entries(expected))('%s', (fault, { repeatable, other }) => {
    test.each(Object.entries(requests))('%s', async (name, request) => {
      const { sends, outcome } = await row(binding, fault, request)
      expect({ sends, outcome }).toEqual(isRepeatable(name) ? repeatable : other)
    })
  })

  test('a refused connection: nothing was sent, so a POST is tried again', async () => {
    const server = await startFaultServer(() => ok)
    await server.close()
    const client = await binding.open({ random: () => 0 })
    closing.push(() => client.close())
    const error = await client.send(`${server.origin}/x`, { method: 'POST', body: payload }).catch((caught: unknown) => caught)
    expect(error).toMatchObject({ verdict: 'not-sent', sent: false, responseBytes: 0, attempts: 3, code: 'ECONNREFUSED' })
  })

  test('the error says what became of the request', async () => {
    const server = await startFaultServer(({ target }) => (target === '/warm' ? ok : 'fin'))
    const client = await binding.open()
    closing.push(() => client.close(), () => server.close())
    await warmUp(client.send, server)
    const error = await client.send(`${server.origin}/x?secret=1`, { method: 'POST', body: payload }).catch((caught: unknown) => caught)
    expect(error).toBeInstanceOf(RequestError)
    expect(error).toBeInstanceOf(TypeError)
    expect(error).toMatchObject({ name: 'RequestError', verdict: 'stale-reuse', sent: true, reused: true, responseBytes: 0, attempts: 1, code: 'UND_ERR_SOCKET' })
    expect(String(error)).toBe(`RequestError: POST ${server.origin}: stale-reuse, sent on a reused connection, 0 bytes of a response, 1 attempt: other side closed`)
  })

  describe('a broken rule is caught by the number of sends', () => {
    test.each([
      ['stale-reuse', 'a reused connection is closed', { ...verdictRules, 'stale-reuse': { requests: 'any', how: 'repair' } }],
      ['fresh-loss', 'the first connection is closed', { ...verdictRules, 'fresh-loss': { requests: 'any', how: 'policy' } }],
      ['response-started', 'the header breaks off', { ...verdictRules, 'response-started': { requests: 'any', how: 'policy' } }],
    ] as const)('%s', async (_verdict, fault, rules) => {
      const { sends } = await row(binding, fault, { method: 'POST', body: payload }, rules)
      expect(sends).toBeGreaterThan(1)
    })
  })
})
