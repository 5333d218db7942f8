import { describe, expect, test } from 'vitest'
import { memoryStore, type IdempotencyStore } from '../idempotency/index.js'
import { fedBody, heldStore, order, readText, service, turns } from './testing/service.js'

const replayText = async (fetch: (request: Request) => Promise<Response>): Promise<string> => {
  for (;;) {
    const response = await fetch(order())
    if (response.status !== 409) return response.text()
  }
}

describe('a body that is still being made', () => {
  test('flows at once; its last chunk waits for the store where the end comes with it', async () => {
    const { store, completing, letGo } = heldStore()
    const fed = fedBody()
    const { fetch } = service(() => new Response(fed.body), { store })
    fed.write('first')
    const reader = ((await fetch(order())).body as ReadableStream<Uint8Array>).getReader()
    expect(await readText(reader)).toBe('first')
    fed.write('second')
    expect(await readText(reader)).toBe('second')
    let got = false
    const last = readText(reader).then((text) => {
      got = true
      return text
    })
    fed.write('last')
    fed.end()
    await completing
    await turns()
    expect(got).toBe(false)
    letGo()
    expect([await last, await readText(reader)]).toEqual(['last', undefined])
    expect(await replayText(fetch)).toBe('firstsecondlast')
  })

  test('its end waits for the store where that comes later', async () => {
    const { store, completing, letGo } = heldStore()
    const fed = fedBody()
    const { fetch } = service(() => new Response(fed.body), { store })
    fed.write('all')
    const reader = ((await fetch(order())).body as ReadableStream<Uint8Array>).getReader()
    expect(await readText(reader)).toBe('all')
    let ended = false
    const end = readText(reader).then(() => {
      ended = true
    })
    fed.end()
    await completing
    await turns()
    expect(ended).toBe(false)
    letGo()
    await end
  })

  test('the chunk that fills a declared length waits, however late the end is', async () => {
    const { store, completing, letGo } = heldStore()
    const fed = fedBody()
    const { fetch } = service(() => new Response(fed.body, { headers: { 'content-length': '6' } }), { store })
    fed.write('abc')
    const reader = ((await fetch(order())).body as ReadableStream<Uint8Array>).getReader()
    expect(await readText(reader)).toBe('abc')
    let got = false
    const last = readText(reader).then(() => {
      got = true
    })
    fed.write('def')
    await turns()
    fed.end()
    await completing
    expect(got).toBe(false)
    letGo()
    await last
  })

  test('is read to its end where the client has gone, and kept', async () => {
    const fed = fedBody()
    const kept: Promise<unknown>[] = []
    const { fetch, runs } = service(() => new Response(fed.body), { waitUntil: () => (promise) => void kept.push(promise) })
    fed.write('first;')
    const response = await fetch(order())
    await response.body?.cancel()
    fed.write('second;')
    fed.write('last')
    fed.end()
    await Promise.all(kept)
    expect([fed.cancelled(), await (await fetch(order())).text(), runs()]).toEqual([false, 'first;second;last', 1])
  })

  test('that breaks off is cut, and has no result', async () => {
    const fed = fedBody()
    const { fetch } = service(() => new Response(fed.body))
    fed.write('first')
    const response = await fetch(order())
    fed.fail(new Error('the disk is gone'))
    await expect(response.text()).rejects.toThrow('the disk is gone')
    expect((await fetch(order())).status).toBe(409)
  })

  test('that breaks off before its first chunk is cut as well', async () => {
    const fed = fedBody()
    const { fetch } = service(() => new Response(fed.body))
    fed.fail(new Error('the disk is gone'))
    await expect((await fetch(order())).text()).rejects.toThrow('the disk is gone')
    expect((await fetch(order())).status).toBe(409)
  })

  test('of a stale owner is cut where it had begun', async () => {
    const store: IdempotencyStore = { ...memoryStore(), complete: async () => false }
    const fed = fedBody()
    const { fetch } = service(() => new Response(fed.body), { store })
    fed.write('first')
    const response = await fetch(order())
    const text = response.text()
    fed.end()
    await expect(text).rejects.toThrow('another run has the key')
  })

  test('over the limit flows, and is replayed as a mark', async () => {
    const fed = fedBody()
    const { fetch } = service(() => new Response(fed.body), { maxResponseBytes: 4 })
    fed.write('abc')
    const response = await fetch(order())
    fed.write('def')
    fed.end()
    expect(await response.text()).toBe('abcdef')
    expect((await fetch(order())).headers.get('idempotent-body')).toBe('omitted')
  })

  test('whose buffer is used again for each chunk is kept as it was sent', async () => {
    const buffer = new Uint8Array(1)
    let at = 0
    const body = new ReadableStream<Uint8Array>({
      pull: async (controller) => {
        await turns()
        if (at === 3) return controller.close()
        buffer[0] = 97 + at++
        controller.enqueue(buffer)
      },
    }, { highWaterMark: 0 })
    const { fetch } = service(() => new Response(body))
    await (await fetch(order())).text()
    expect(await (await fetch(order())).text()).toBe('abc')
  })
})

test('an event stream is refused at once, its body is given up, and the key is free', async () => {
  const fed = fedBody()
  const { fetch, runs } = service((run) => (run === 1 ? new Response(fed.body, { headers: { 'content-type': 'text/event-stream' } }) : new Response('ok')))
  const response = await fetch(order())
  expect([response.status, ((await response.json()) as { type: string }).type, fed.cancelled()]).toEqual([500, 'urn:hopwise:problem:endless-stream', true])
  expect([await (await fetch(order())).text(), runs()]).toEqual(['ok', 2])
})

test('text and buffers in a stream, which servers take although the standard does not, are kept', async () => {
  const body = new ReadableStream<unknown>({
    start: (controller) => {
      controller.enqueue('a')
      controller.enqueue(new TextEncoder().encode('b').buffer)
      controller.enqueue(new DataView(new TextEncoder().encode('c').buffer))
      controller.close()
    },
  })
  const { fetch } = service(() => new Response(body as ReadableStream<Uint8Array>))
  expect([await (await fetch(order())).text(), await (await fetch(order())).text()]).toEqual(['abc', 'abc'])
})
