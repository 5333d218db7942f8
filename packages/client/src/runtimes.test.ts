import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { ok, startFaultServer, type Fault, type FaultServer, type SeenRequest } from './testing/fault-server.js'
import { selfSigned, startHttp2Server, type StreamFault } from './testing/http2-server.js'
import { otherRuntimes, runCalls, type RuntimeCall } from './testing/runtimes.js'

/** The fault is the first part of the target. */
const faults: Readonly<Record<string, (request: SeenRequest) => Fault>> = {
  'reused-fin': ({ nth }) => (nth > 1 ? 'fin' : ok),
  'reused-rst': ({ nth }) => (nth > 1 ? 'rst' : ok),
  'always-fin': () => 'fin',
  'always-rst': () => 'rst',
  'half-header': () => 'half-header',
  'half-body': () => 'half-body',
  'once-503': ({ before }) => (before === 0 ? { status: 503 } : ok),
}

const requests: Readonly<Record<string, Omit<RuntimeCall, 'target'>>> = {
  POST: { method: 'POST', body: 'tea' },
  PATCH: { method: 'PATCH', body: 'tea' },
  'POST-bytes': { method: 'POST', body: 'tea', bodyKind: 'bytes' },
  'POST-blob': { method: 'POST', body: 'tea', bodyKind: 'blob' },
  'POST-form': { method: 'POST', body: 'tea', bodyKind: 'form' },
  'POST-made': { method: 'POST', body: 'tea', bodyKind: 'made' },
  'POST-request': { method: 'POST', body: 'tea', bodyKind: 'request' },
  'POST-without-body': { method: 'POST' },
  GET: { method: 'GET' },
  PUT: { method: 'PUT', body: 'tea' },
  'POST-key': { method: 'POST', body: 'tea', headers: { 'idempotency-key': 'order-1' } },
}
const warm: RuntimeCall = { target: '/warm', method: 'GET' }
const isKeyless = (name: string): boolean => /^(?:POST|PATCH)/.test(name) && name !== 'POST-key'

const rows = Object.keys(faults).flatMap((fault) => Object.entries(requests).map(([name, request]) => ({ fault, name, target: `/${fault}/${name}`, request })))
const calls = rows.flatMap(({ target, request }) => [warm, warm, { ...request, target }])

/** A server that answers `/gather` only once it has come on ten connections, and closes each used one under any other request. */
function startGatheringServer(): Promise<FaultServer> {
  let gather = (): void => {}
  const gathered = new Promise<void>((resolve) => (gather = resolve))
  return startFaultServer(({ target, before, nth }) => {
    if (target !== '/gather') return nth > 1 ? 'fin' : ok
    if (before === 9) gather()
    return gathered.then(() => ok)
  })
}

const faultOf = (seen: SeenRequest): Fault => (faults[seen.target.split('/')[1] ?? ''] ?? (() => ok))(seen)

describe.each(otherRuntimes.flatMap((runtime) => [false, true].map((isTls) => ({ runtime, isTls, name: `${runtime.name}${isTls ? ' over TLS' : ''}` }))))('$name', ({ runtime, isTls }) => {
  let tls: { key: string; cert: string } | undefined
  let server: FaultServer
  const outcomes = new Map<string, { readonly status?: number; readonly verdict?: string }>()

  beforeAll(async () => {
    tls = isTls ? await selfSigned() : undefined
    server = await startFaultServer(faultOf, tls)
    const results = await runCalls(runtime, server.origin, calls, { options: { budget: false }, trusted: tls?.cert })
    rows.forEach(({ target }, at) => outcomes.set(target, results[at * 3 + 2] ?? {}))
  })
  afterAll(() => server.close())

  test.each(rows.filter(({ name }) => isKeyless(name)))('$fault: $name is sent once', ({ target, fault }) => {
    expect(server.count(target)).toBe(1)
    const { status, verdict } = outcomes.get(target) ?? {}
    expect([200, 503].includes(status ?? 0) || verdict !== undefined || fault === 'half-body').toBe(true)
  })

  test.each(rows.filter(({ name, fault }) => !isKeyless(name) && ['reused-fin', 'reused-rst', 'once-503'].includes(fault)))('$fault: $name comes through', ({ target }) => {
    expect(outcomes.get(target)).toMatchObject({ status: 200, body: 'ok' })
  })

  test('every body arrives as it was given', () => {
    for (const { target, name, request } of rows) {
      const bodies = server.seen.filter((seen) => seen.target === target).map(({ body }) => body.toString())
      for (const body of bodies) {
        if (name === 'POST-form') expect(body).toContain('tea')
        else expect(body).toBe(request.body ?? '')
      }
      expect(new Set(bodies).size).toBe(1)
    }
  })

  test('what the runtime does by itself, without the client: this is what the cases above would have caught', async () => {
    const bare = await startFaultServer(faultOf, tls)
    await runCalls(runtime, bare.origin, calls, { bare: true, trusted: tls?.cert })
    const doubled = rows.filter(({ name, target }) => isKeyless(name) && bare.count(target) > 1).map(({ target }) => target)
    await bare.close()
    // Deno resends what is not a stream, after the server had it. Bun does not, since its issue 28706.
    expect(doubled.length > 0).toBe(runtime.name === 'Deno')
  })
})

describe.each(otherRuntimes)('$name', (runtime) => {
  test('a redirect is followed, and the key stays on its origin', async () => {
    const other = await startFaultServer(() => ok)
    const from = await startFaultServer(({ target }) => {
      if (target === '/same') return { status: 307, fields: { location: '/end' } }
      return target === '/away' ? { status: 307, fields: { location: `${other.origin}/end` } } : ok
    })
    const secrets = { 'idempotency-key': 'order-1', authorization: 'Bearer x', 'x-api-key': 'x' }
    const results = await runCalls(runtime, from.origin, ['/same', '/away'].map((target) => ({ target, method: 'POST', body: 'tea', headers: secrets })))
    expect(results).toMatchObject([{ status: 200, redirected: true }, { status: 200, redirected: true }])
    expect(from.seen.find(({ target }) => target === '/end')?.fields).toMatchObject(secrets)
    expect(other.seen[0]?.body.toString()).toBe('tea')
    for (const name of Object.keys(secrets)) expect(other.seen[0]?.fields).not.toHaveProperty(name)
    await from.close()
    await other.close()
  })

  test('an error names the origin, and neither the path nor the query, whatever the runtime says', async () => {
    const gone = await startFaultServer(() => ok)
    await gone.close()
    const [result] = await runCalls(runtime, gone.origin, [{ target: '/orders?token=secret', method: 'POST', body: 'tea' }])
    expect(result?.message).toContain(`POST ${gone.origin}: `)
    expect(result?.message).not.toMatch(/orders|secret/)
  })

  test('an abort is obeyed, also where no response ever comes', async () => {
    const silent = await startFaultServer(() => 'nothing')
    const [result] = await runCalls(runtime, silent.origin, [{ target: '/x', method: 'GET', abortAfter: 50 }])
    expect(result).toMatchObject({ name: 'AbortError', verdict: 'aborted', sent: 'unknown' })
    await silent.close()
  })
})

describe.each(otherRuntimes.filter(({ name }) => name === 'Bun' || name === 'Deno'))('$name, which tells nothing', ({ name, run }) => {
  // Bun tries each pooled connection with a request that it takes for idempotent, and Deno two with any, by themselves.
  test.each([
    ['GET', name === 'Bun' ? 11 : 3],
    ['POST-key', name === 'Bun' ? 2 : 3],
  ])('ten dead connections in the pool: %s is lost, and comes through on a fresh one, after %i sends', async (request, sends) => {
    const server = await startGatheringServer()
    const results = await runCalls({ name, run }, server.origin, [{ target: '/gather', method: 'GET', together: 10 }, { ...(requests[request] ?? warm), target: '/x' }])
    expect(results[1]).toMatchObject({ status: 200, body: 'ok' })
    expect(server.seen.filter(({ target }) => target === '/x').map(({ nth }) => nth)).toEqual([...Array<number>(sends - 1).fill(2), 1])
    await server.close()
  })

  test('a budget that is spent is told', async () => {
    const server = await startFaultServer(() => 'fin')
    const [first, second] = await runCalls({ name, run }, server.origin, [{ target: '/x', method: 'GET' }, { target: '/y', method: 'GET' }], { options: { budget: { tokens: 2 } } })
    expect([first, second]).toMatchObject([{ verdict: 'fresh-loss', budgetSpent: false }, { verdict: 'fresh-loss', budgetSpent: true }])
    await server.close()
  })
})

describe('Deno over HTTP/2', () => {
  const deno = otherRuntimes.find(({ name }) => name === 'Deno') as (typeof otherRuntimes)[number]

  test.each<[string, StreamFault, number, number, object]>([
    ['that was refused is sent once more', 'refuse', 1, 2, { status: 200 }],
    ['that is refused again and again is sent twice', 'refuse', 9, 2, { verdict: 'refused' }],
    ['whose connection was cut is sent once', 'cut', 1, 1, { verdict: 'fresh-loss' }],
    // Deno says of a GOAWAY only why, and not of which ids.
    ['above the id of a GOAWAY is sent once', 'goaway-below', 1, 1, { verdict: 'fresh-loss' }],
  ])('a POST without a key %s', async (_what, fault, times, sends, outcome) => {
    const server = await startHttp2Server(({ path, before }) => (path === '/x' && before < times ? fault : 'ok'))
    const results = await runCalls(deno, server.origin, [warm, { method: 'POST', body: 'tea', target: '/x' }])
    expect(server.count('/x')).toBe(sends)
    expect(results).toMatchObject([{ status: 200 }, outcome])
    await server.close()
  })
})
