import { createReadStream, type ReadStream } from 'node:fs'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createClient } from './client.js'
import { warmUp } from './testing/bindings.js'
import { ok, startFaultServer, type FaultServer } from './testing/fault-server.js'
import { manualClock } from './testing/manual-clock.js'

const closing: FaultServer[] = []
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close()
})

/** A server that closes the connection at the first request for `/x`, and a client with a connection that is used. */
async function opened() {
  const server = await startFaultServer(({ target, before }) => (target === '/x' && before === 0 ? 'fin' : ok))
  closing.push(server)
  const client = createClient({ random: () => 0 })
  await warmUp((url) => client(url).then((response) => response.text()), server)
  return { server, client, sends: () => server.seen.filter(({ target }) => target === '/x') }
}

const form = (): FormData => {
  const data = new FormData()
  data.set('name', 'Ärger "quoted"')
  data.set('file', new Blob([new Uint8Array([0, 255, 13, 10])], { type: 'application/octet-stream' }), 'a.bin')
  return data
}
const big = new Uint8Array(300_000).map((_, at) => at % 251)

describe('a body arrives twice as the same bytes, and as it was given', () => {
  test.each<[string, () => BodyInit, string | undefined, string | Uint8Array | undefined]>([
    ['a text', () => 'tea ☕', 'text/plain;charset=UTF-8', 'tea ☕'],
    ['an empty text', () => '', 'text/plain;charset=UTF-8', ''],
    ['bytes', () => big.slice(), undefined, big],
    ['a view into bytes', () => new Uint8Array(big.buffer, 10, 100), undefined, big.slice(10, 110)],
    ['a buffer', () => big.slice().buffer, undefined, big],
    ['a Node Buffer', () => Buffer.from('tea'), undefined, 'tea'],
    ['a query', () => new URLSearchParams({ a: '1 2', b: '&' }), 'application/x-www-form-urlencoded;charset=UTF-8', 'a=1+2&b=%26'],
    ['a Blob', () => new Blob(['tea'], { type: 'text/csv' }), 'text/csv', 'tea'],
    ['a form', form, undefined, undefined],
  ])('%s', async (_what, make, type, bytes) => {
    const { client, sends } = await opened()
    const response = await client(`${closing[0]?.origin}/x`, { method: 'PUT', body: make() })
    expect(response.status).toBe(200)
    const [first, second] = sends()
    expect(sends()).toHaveLength(2)
    expect(second?.body.equals(first?.body ?? Buffer.of(1))).toBe(true)
    expect(second?.fields['content-type']).toBe(first?.fields['content-type'])
    if (type !== undefined) expect(first?.fields['content-type']).toBe(type)
    if (bytes !== undefined) expect(first?.body.equals(Buffer.from(bytes))).toBe(true)
  })

  test.each<[string, () => Promise<FormData>]>([
    ['undici 6', async () => new (await import('undici6')).FormData() as unknown as FormData],
    ['undici 7', async () => new (await import('undici7')).FormData() as unknown as FormData],
  ])('a form of %s', async (_what, make) => {
    const { server, client, sends } = await opened()
    const data = await make()
    data.append('name', 'tea')
    data.append('file', new Blob([Buffer.of(0, 255)], { type: 'image/png' }), 'a.png')
    await client(`${server.origin}/x`, { method: 'PUT', body: data })
    expect(sends()).toHaveLength(2)
    for (const { fields, body } of sends()) {
      const read = await new Response(new Uint8Array(body), { headers: { 'content-type': String(fields['content-type']) } }).formData()
      const file = read.get('file') as File
      expect([read.get('name'), file.name, file.type, [...new Uint8Array(await file.arrayBuffer())]]).toEqual(['tea', 'a.png', 'image/png', [0, 255]])
    }
  })

  test('bytes of another realm', async () => {
    const { server, client, sends } = await opened()
    await client(`${server.origin}/x`, { method: 'PUT', body: runInNewContext('new Uint8Array([1, 2, 3]).buffer') as ArrayBuffer })
    expect(sends().map(({ body }) => [...body])).toEqual([[1, 2, 3], [1, 2, 3]])
  })

  test('an object that is no body is a mistake, and one with a text of its own is that text', async () => {
    const { server, client, sends } = await opened()
    await expect(client(`${server.origin}/x`, { method: 'PUT', body: { item: 'tea' } as never })).rejects.toThrow('body: expected a text, bytes, a Blob, a form or a stream, got [object Object]')
    expect(sends()).toEqual([])
    await client(`${server.origin}/y`, { method: 'PUT', body: { toString: () => 'tea' } as never })
    expect(server.seen.at(-1)?.body.toString()).toBe('tea')
  })

  test('a form has one boundary, and can be read with it', async () => {
    const { server, client, sends } = await opened()
    await client(`${server.origin}/x`, { method: 'PUT', body: form() })
    for (const { fields, body } of sends()) {
      const data = await new Response(new Uint8Array(body), { headers: { 'content-type': String(fields['content-type']) } }).formData()
      expect(data.get('name')).toBe('Ärger "quoted"')
      expect(new Uint8Array(await (data.get('file') as Blob).arrayBuffer())).toEqual(new Uint8Array([0, 255, 13, 10]))
    }
  })

  test("the caller's own type stays", async () => {
    const { server, client, sends } = await opened()
    await client(`${server.origin}/x`, { method: 'PUT', body: '{}', headers: { 'content-type': 'application/json' } })
    expect(sends().map(({ fields }) => fields['content-type'])).toEqual(['application/json', 'application/json'])
  })

  test('bytes that the caller changes after the call are sent as they were', async () => {
    const { server, client, sends } = await opened()
    const bytes = new TextEncoder().encode('tea')
    const sent = client(`${server.origin}/x`, { method: 'PUT', body: bytes })
    bytes.fill(0)
    await sent
    expect(sends().map(({ body }) => body.toString())).toEqual(['tea', 'tea'])
  })
})

describe('a stream', () => {
  const stream = (): ReadableStream => new Blob(['tea']).stream()

  test('is sent once', async () => {
    const { server, client, sends } = await opened()
    await expect(client(`${server.origin}/x`, { method: 'PUT', body: stream(), duplex: 'half' } as RequestInit)).rejects.toMatchObject({ attempts: 1 })
    expect(sends()).toHaveLength(1)
  })

  test.each<[string, () => unknown]>([
    ['a stream', stream],
    ['chunks', async function* () { yield Buffer.from('tea') }],
  ])('that is still untouched, since no connection could be opened, is tried again: %s', async (_what, make) => {
    const gone = await startFaultServer(() => ok)
    await gone.close()
    const server = await startFaultServer(() => ok)
    closing.push(server)
    const call = (client: ReturnType<typeof createClient>, origin: string): Promise<Response> =>
      client(`${origin}/x`, { method: 'POST', body: make() as ReadableStream, duplex: 'half' } as RequestInit)
    let attempts = 0
    const late = createClient({ random: () => 0, fetch: (input, init) => fetch((attempts += 1) < 3 ? `${gone.origin}/x` : input, init) })
    expect((await call(late, server.origin)).status).toBe(200)
    expect(server.seen.map(({ body }) => body.toString())).toEqual(['tea'])
    await expect(call(createClient({ random: () => 0 }), gone.origin)).rejects.toMatchObject({ verdict: 'not-sent', sent: false, attempts: 3 })
  })

  test('that was begun and is not sent after all is told so: whoever makes it can tidy up', async () => {
    const gone = await startFaultServer(() => ok)
    await gone.close()
    const told = new Promise<void>((resolve) => {
      const body = new ReadableStream({ pull: (controller) => controller.enqueue(Buffer.from('tea')), cancel: () => resolve() }, { highWaterMark: 0 })
      createClient({ random: () => 0 })(`${gone.origin}/x`, { method: 'PUT', body, duplex: 'half' } as RequestInit).catch(() => {
        // Not begun, as on Node 26: it is as it was, and the caller's.
        if (!body.locked) resolve()
      })
    })
    await told
  })

  test('that was read, or is being read, is a mistake: its rest is not what the caller means', async () => {
    const { server, client, sends } = await opened()
    const read = stream()
    await new Response(read).text()
    const locked = stream()
    locked.getReader()
    for (const body of [read, locked]) {
      await expect(client(`${server.origin}/x`, { method: 'PUT', body, duplex: 'half' } as RequestInit)).rejects.toMatchObject({ sent: false, attempts: 1, cause: expect.any(TypeError) })
    }
    expect(sends()).toEqual([])
  })

  test('that fails on the way fails the call', async () => {
    const { server, client } = await opened()
    let asked = 0
    const failing = new ReadableStream<Uint8Array>({
      pull(controller) {
        if ((asked += 1) === 1) controller.enqueue(Buffer.from('te'))
        else controller.error(new Error('the disk is gone'))
      },
    })
    await expect(client(`${server.origin}/y`, { method: 'PUT', body: failing, duplex: 'half' } as RequestInit)).rejects.toMatchObject({ attempts: 1, message: expect.stringContaining('the disk is gone') })
  })

  test.each([['short', 1_000], ['of a MiB', 1_048_576]])('that a Request makes of a body is read ahead: %s', async (_what, length) => {
    const { server, client, sends } = await opened()
    const body = 'x'.repeat(length)
    expect(await client(new Request(`${server.origin}/x`, { method: 'PUT', body }))).toMatchObject({ status: 200 })
    expect(sends().map((seen) => [seen.body.toString() === body, seen.fields['content-length']])).toEqual([[true, String(length)], [true, String(length)]])
  })

  test('of a Request that is longer is sent once, and whole', async () => {
    const { server, client, sends } = await opened()
    const body = 'x'.repeat(3_000_000)
    await expect(client(new Request(`${server.origin}/x`, { method: 'PUT', body }))).rejects.toMatchObject({ attempts: 1 })
    expect(sends().map((seen) => seen.body.toString() === body)).toEqual([true])
  })

  test('of a Request that does not come: an abort is obeyed, and the stream is told', async () => {
    const { server, client, sends } = await opened()
    const controller = new AbortController()
    const told: unknown[] = []
    const body = new ReadableStream({ cancel: (reason) => void told.push(reason) })
    const call = client(new Request(`${server.origin}/x`, { method: 'PUT', body, duplex: 'half', signal: controller.signal } as RequestInit))
    controller.abort()
    await expect(call).rejects.toMatchObject({ name: 'AbortError', verdict: 'aborted', sent: false, attempts: 0 })
    expect(sends()).toEqual([])
    expect(told).toMatchObject([{ name: 'AbortError' }])
  })

  test('of a Request that was read is a mistake: its rest is not what the caller means', async () => {
    const { server, client, sends } = await opened()
    const request = new Request(`${server.origin}/x`, { method: 'PUT', body: 'tea' })
    const reader = request.body?.getReader()
    await reader?.read()
    reader?.releaseLock()
    await expect(client(request)).rejects.toThrow('the body of this Request was read already')
    expect(sends()).toEqual([])
  })

  test('of a Request may give texts, and nothing else that is no bytes', async () => {
    const { server, client, sends } = await opened()
    const of = (chunk: unknown): Request => new Request(`${server.origin}/x`, { method: 'PUT', body: new ReadableStream({ start: (controller) => (controller.enqueue(chunk), controller.close()) }), duplex: 'half' } as RequestInit)
    await client(of('7'))
    expect(sends().map(({ body }) => body.toString())).toEqual(['7', '7'])
    await expect(client(of(7))).rejects.toThrow('a chunk of the body is neither bytes nor text')
  })

  test('of a Request that does not come: the deadline holds', async () => {
    const clock = manualClock()
    const client = createClient({ clock, deadline: '5s' })
    const failed: unknown[] = []
    client.on('failed', (event) => failed.push(event))
    const call = client(new Request('http://a.example/x', { method: 'PUT', body: new ReadableStream(), duplex: 'half' } as RequestInit))
    clock.advance(5_000)
    await expect(call).rejects.toMatchObject({ name: 'TimeoutError', verdict: 'not-sent', sent: false, attempts: 0 })
    expect(failed).toMatchObject([{ method: 'PUT', origin: 'http://a.example', verdict: 'not-sent' }])
  })

  test('is made anew by getBody, which may take its time', async () => {
    const { server, client, sends } = await opened()
    let made = 0
    const response = await client(`${server.origin}/x`, { method: 'PUT', getBody: async () => ((made += 1), stream()) })
    expect([response.status, made]).toEqual([200, 2])
    expect(sends().map(({ body }) => body.toString())).toEqual(['tea', 'tea'])
  })

  test.each<[string, () => unknown, string | undefined]>([
    ['a query', () => new URLSearchParams({ a: '1' }), 'application/x-www-form-urlencoded;charset=UTF-8'],
    ['a Blob', () => new Blob(['tea'], { type: 'text/csv' }), 'text/csv'],
    ['a text', () => 'tea', 'text/plain;charset=UTF-8'],
    ['bytes', () => Buffer.from('tea'), undefined],
  ])('%s of getBody has its type on each attempt, where the caller has said none', async (_what, getBody, type) => {
    const { server, client, sends } = await opened()
    await client(`${server.origin}/x`, { method: 'PUT', getBody })
    await client(`${server.origin}/x`, { method: 'PUT', getBody, headers: { 'content-type': 'text/own' } })
    expect(sends().map(({ fields }) => fields['content-type'])).toEqual([type, type, 'text/own'])
  })

  test('a form of getBody is a mistake: it would have another boundary on each attempt', async () => {
    const { server, client, sends } = await opened()
    await expect(client(`${server.origin}/x`, { method: 'PUT', getBody: form })).rejects.toMatchObject({ sent: false, attempts: 1, cause: { message: 'getBody: a form has another boundary each time it is made; give it as body' } })
    expect(sends()).toEqual([])
  })

  test('that getBody made is ended where it was not sent, also where the call was given up meanwhile', async () => {
    const gone = await startFaultServer(() => ok)
    await gone.close()
    const made: Readable[] = []
    const make = (): Readable => {
      const file = Readable.from(['tea'])
      made.push(file)
      return file
    }
    await expect(createClient({ random: () => 0 })(`${gone.origin}/x`, { method: 'PUT', getBody: make })).rejects.toMatchObject({ attempts: 3 })
    const { server, client, sends } = await opened()
    const controller = new AbortController()
    const call = client(`${server.origin}/x`, { method: 'PUT', signal: controller.signal, getBody: async () => {
      controller.abort()
      await turn()
      return make()
    } })
    await expect(call).rejects.toMatchObject({ verdict: 'aborted', sent: false })
    while (made.length < 4 || !made.every(({ destroyed }) => destroyed)) await turn()
    expect([made.length, sends()]).toEqual([4, []])
  })

  test('of a file that is not there, made for a call that was given up, does not end the process', async () => {
    const { server, client } = await opened()
    const controller = new AbortController()
    let closed = (): void => {}
    // Its error comes before that; nobody would have heard it.
    const isClosed = new Promise<void>((resolve) => (closed = resolve))
    const getBody = (): ReadStream => {
      controller.abort()
      return createReadStream('/nowhere/report.csv').once('close', closed)
    }
    await expect(client(`${server.origin}/x`, { method: 'PUT', signal: controller.signal, getBody })).rejects.toMatchObject({ verdict: 'aborted', sent: false })
    await isClosed
  })

  test('body and getBody together are a mistake', async () => {
    const { client } = await opened()
    await expect(client('http://127.0.0.1:1/', { method: 'PUT', body: 'a', getBody: () => 'b' })).rejects.toThrow('expected body or getBody, got both')
    await expect(client('http://127.0.0.1:1/', { method: 'PUT', getBody: 'a' as never })).rejects.toThrow('getBody: expected a function that makes the body')
  })
})

test('a Request is sent with its fields, its method and its signal', async () => {
  const { server, client } = await opened()
  const response = await client(new Request(`${server.origin}/y`, { method: 'DELETE', headers: { 'x-a': '1' } }))
  expect(response.status).toBe(200)
  expect(server.seen.at(-1)).toMatchObject({ method: 'DELETE', fields: { 'x-a': '1' } })
  const aborted = client(new Request(`${server.origin}/y`, { signal: AbortSignal.abort() }))
  await expect(aborted).rejects.toMatchObject({ verdict: 'aborted', sent: false, name: 'AbortError' })
})

test('a mistake in what was given is told once', async () => {
  const { server, client } = await opened()
  const attempts: number[] = []
  client.on('attempt', ({ resendCount }) => attempts.push(resendCount))
  await expect(client(`${server.origin}/x`, { method: 'GET', body: 'a body that GET must not have' })).rejects.toMatchObject({ attempts: 1 })
  await expect(client('no url')).rejects.toThrow('Invalid URL')
  expect(attempts).toEqual([0])
})

test('a relative URL is one of the page, also of a call that was given up before it began', async () => {
  vi.stubGlobal('location', { href: 'https://a.example/shop/page' })
  onTestFinished(() => void vi.unstubAllGlobals())
  const client = createClient({ fetch: async (input) => new Response(String(input)) })
  expect(await (await client('orders')).text()).toBe('https://a.example/shop/orders')
  await expect(client('orders', { signal: AbortSignal.abort() })).rejects.toMatchObject({ name: 'AbortError', verdict: 'aborted', attempts: 0, message: expect.stringContaining('GET https://a.example: ') })
})
