import { describe, expect, test } from 'vitest'
import { memoryStore, NoEffectError, type IdempotencyStore } from '../idempotency/index.js'
import { getContext } from '../request-id/index.js'
import { idempotent, type FetchIdempotencyOptions } from './idempotent.js'
import { idempotentRun } from './runs.js'
import { gate, heldStore, order, service, turns } from './testing/service.js'

const seen = async (response: Response) => ({
  status: response.status,
  fields: [...response.headers].filter(([name]) => name !== 'idempotent-replayed'),
  bytes: new Uint8Array(await response.arrayBuffer()),
  replayed: response.headers.get('idempotent-replayed'),
})

describe('a retry gets the first answer, and the handler runs once', () => {
  test.each<[string, (run: number) => Response]>([
    ['JSON', (run) => Response.json({ run }, { status: 201, headers: { location: `/orders/${run}` } })],
    ['text', (run) => new Response(`run ${run}`)],
    ['bytes', (run) => new Response(Uint8Array.of(0x89, 0xff, 0, run), { headers: { 'content-type': 'image/png' } })],
    ['a blob', (run) => new Response(new Blob([`run ${run}`], { type: 'text/x' }))],
    ['nothing', () => new Response()],
    ['empty text', () => new Response('')],
    ['204', (run) => new Response(null, { status: 204, headers: { 'x-run': String(run) } })],
    ['304', (run) => new Response(null, { status: 304, headers: { etag: `"${run}"` } })],
    ['a redirect, whose fields are locked', (run) => Response.redirect(`http://test/orders/${run}`, 303)],
    ['402', (run) => Response.json({ run }, { status: 402 })],
    ['500', (run) => Response.json({ run }, { status: 500 })],
    ['a stream', (run) => new Response(new Blob([`run ${run}, `, 'and more']).stream())],
  ])('%s', async (_what, respond) => {
    const { fetch, runs } = service(respond)
    const [first, second] = [await seen(await fetch(order())), await seen(await fetch(order()))]
    expect([first.replayed, second.replayed, runs()]).toEqual([null, 'true', 1])
    expect(second).toEqual({ ...first, replayed: 'true' })
  })

  test('a cookie belongs to the first answer alone, and cookies stay apart', async () => {
    const { fetch } = service(() => {
      const response = new Response('ok')
      response.headers.append('set-cookie', 'a=1')
      response.headers.append('set-cookie', 'b=2')
      return response
    })
    expect((await fetch(order())).headers.getSetCookie()).toEqual(['a=1', 'b=2'])
    expect((await fetch(order())).headers.getSetCookie()).toEqual([])
  })

  test('of HEAD, where that is protected: without a body, both times', async () => {
    const { fetch, runs } = service((run) => new Response(`run ${run}`, { headers: { 'x-run': String(run) } }), { methods: ['HEAD'] })
    const head = () => new Request('http://test/orders', { method: 'HEAD', headers: { 'idempotency-key': 'key-1' } })
    for (const response of [await fetch(head()), await fetch(head())]) expect([response.body, response.headers.get('x-run')]).toEqual([null, '1'])
    expect(runs()).toBe(1)
  })

  test('over the limit: whole the first time, then a mark without a body', async () => {
    const { fetch } = service(() => new Response(new Blob([new Uint8Array(6), new Uint8Array(7)]).stream()), { maxResponseBytes: 10 })
    expect((await (await fetch(order())).arrayBuffer()).byteLength).toBe(13)
    const again = await fetch(order())
    expect([(await again.arrayBuffer()).byteLength, again.headers.get('idempotent-body')]).toEqual([0, 'omitted'])
  })
})

describe('the handler gets', () => {
  test.each([['binary', Uint8Array.of(0x89, 0xff, 0xfe, 0)], ['a megabyte', new Uint8Array(2 ** 20).fill(7)], ['nothing', new Uint8Array()]])('the very bytes of a body that is %s', async (_what, body) => {
    const { fetch } = service(async (_run, request) => new Response(await request.arrayBuffer()))
    const response = await fetch(order({ body }))
    expect(Buffer.from(await response.arrayBuffer()).equals(body)).toBe(true)
  })

  test('method, address, fields and signal of the request, and a request of its class', async () => {
    class Special extends Request {}
    const stop = new AbortController()
    let got: Request | undefined
    const { fetch } = service((_run, request) => {
      got = request
      return new Response()
    })
    await fetch(new Special(order({ headers: { 'x-a': '1' } }), { signal: stop.signal }))
    stop.abort()
    expect([got?.method, got?.url, got?.headers.get('x-a'), got?.signal.aborted, got instanceof Special]).toEqual(['POST', 'http://test/orders', '1', true, true])
  })

  test('its run, by the request and in the context', async () => {
    const { fetch } = service((_run, request) => Response.json([idempotentRun(request)?.attempt, getContext()?.run === idempotentRun(request)]))
    expect(await (await fetch(order())).json()).toEqual([1, true])
  })

  test('no run where the request is not protected', async () => {
    const { fetch } = service((_run, request) => Response.json(idempotentRun(request) ?? null), { required: false })
    expect(await (await fetch(new Request('http://test/', { method: 'POST' }))).json()).toBeNull()
  })

  test('what the platform gives besides, and so do the options', async () => {
    const kept: Promise<unknown>[] = []
    const protect = idempotent({
      store: memoryStore(),
      scope: 'global',
      route: (_request: Request, env: { route: string }) => env.route,
      waitUntil: () => (promise) => void kept.push(promise),
    })
    const fetch = protect((_request, env) => new Response(env.route))
    expect(await (await fetch(order(), { route: '/a' })).text()).toBe('/a')
    expect((await fetch(order(), { route: '/b' })).headers.get('idempotent-replayed')).toBeNull()
    await Promise.all(kept)
    expect(kept).toHaveLength(2)
  })
})

describe('refused', () => {
  test.each<[string, Request, number]>([
    ['without a key', new Request('http://test/orders', { method: 'POST' }), 400],
    ['with a repeated key', order({ key: 'a, b' }), 400],
    ['with a body over the limit that is announced', order({ body: 'x'.repeat(101), headers: { 'content-length': '101' } }), 413],
    ['with a body over the limit that is not', order({ body: 'x'.repeat(101) }), 413],
  ])('%s', async (_what, request, status) => {
    const { fetch, runs } = service(() => new Response(), { maxRequestBytes: 100 })
    const response = await fetch(request)
    expect([response.status, response.headers.get('content-type'), runs()]).toEqual([status, 'application/problem+json', 0])
  })

  test('another body with the same key', async () => {
    const { fetch } = service(() => new Response())
    await fetch(order())
    expect((await fetch(order({ body: '{}' }))).status).toBe(422)
  })

  test('a caller who is not known; callers do not meet', async () => {
    const { fetch, runs } = service((run) => Response.json(run), { scope: 'principal', principal: (request) => request.headers.get('x-user') ?? undefined })
    expect((await fetch(order())).status).toBe(400)
    for (const user of ['alice', 'mallory']) await fetch(order({ headers: { 'x-user': user } }))
    expect(runs()).toBe(2)
  })

  test('a body that was read already is an error, and nothing is claimed', async () => {
    const { fetch, runs } = service(() => new Response())
    const request = order()
    await request.text()
    await expect(fetch(request)).rejects.toMatchObject({ code: 'body-already-read' })
    const locked = order()
    locked.body?.getReader()
    await expect(fetch(locked)).rejects.toMatchObject({ code: 'body-already-read' })
    expect([(await fetch(order())).headers.get('idempotent-replayed'), runs()]).toEqual([null, 1])
  })

  test('protected twice is an error, and nothing is stored', async () => {
    const options: FetchIdempotencyOptions<[]> = { store: memoryStore(), scope: 'global' }
    const fetch = idempotent(options)(idempotent(options)(() => new Response()))
    for (let turn = 0; turn < 2; turn++) await expect(fetch(order())).rejects.toMatchObject({ code: 'mounted-twice' })
  })

  test.each([
    [{}, /option "store" is required/],
    [undefined, /option "store" is required/],
    [{ store: memoryStore() }, /option "principal" is required/],
    [{ store: memoryStore(), scope: 'global', stor: 1 }, /unknown option "stor"/],
    [{ store: memoryStore(), scope: 'global', waitUntil: true }, /option "waitUntil" is true/],
  ])('wrong options are errors at start: %j', (wrong, message) => {
    expect(() => idempotent(wrong as never)).toThrow(message)
  })
})

describe('a handler that throws', () => {
  test('throws on; the outcome is a 500 without a body, and it does not run again', async () => {
    const { fetch, runs } = service((run) => {
      throw new Error(`run ${run}`)
    })
    await expect(fetch(order())).rejects.toThrow('run 1')
    const again = await fetch(order())
    expect([again.status, again.headers.get('idempotent-replayed'), again.headers.get('idempotent-body'), runs()]).toEqual([500, 'true', 'omitted', 1])
  })

  test.each<[string, (request: Request) => never]>([
    ['NoEffectError', () => {
      throw new NoEffectError('nothing happened')
    }],
    ['anything, after release()', (request) => {
      idempotentRun(request)?.release()
      throw new Error('nothing happened')
    }],
  ])('%s gives the key back', async (_what, handler) => {
    const { fetch, runs } = service((_run, request) => handler(request))
    for (let turn = 0; turn < 2; turn++) await expect(fetch(order())).rejects.toThrow('nothing happened')
    expect(runs()).toBe(2)
  })

  test('that is over for waitUntil as well', async () => {
    const kept: Promise<unknown>[] = []
    const { fetch } = service(() => Promise.reject(new Error('no')), { waitUntil: () => (promise) => void kept.push(promise) })
    await expect(fetch(order())).rejects.toThrow('no')
    await expect(Promise.all(kept)).resolves.toHaveLength(1)
  })
})

test('the answer waits until its result is stored, and waitUntil is asked before the handler runs', async () => {
  const { store, completing, letGo } = heldStore()
  const ran = gate()
  const steps: string[] = []
  const { fetch } = service(async () => {
    steps.push('run')
    await ran.opened
    return Response.json({ ok: true })
  }, { store, waitUntil: () => (promise) => void (steps.push('asked'), promise.then(() => steps.push('over'))) })
  const answer = fetch(order()).then((response) => {
    steps.push('answered')
    return response
  })
  ran.open()
  await completing
  await turns()
  expect(steps).toEqual(['asked', 'run'])
  letGo()
  expect(await (await answer).json()).toEqual({ ok: true })
  expect(steps.toSorted()).toEqual(['answered', 'asked', 'over', 'run'])
})

test('a stale owner\'s response is replaced, and none of its fields are sent', async () => {
  const store: IdempotencyStore = { ...memoryStore(), complete: async () => false }
  const { fetch } = service(() => new Response('mine', { headers: { 'x-run': '1' } }), { store })
  const response = await fetch(order())
  expect([response.status, response.headers.get('x-run'), response.headers.get('content-type')]).toEqual([409, null, 'application/problem+json'])
})
