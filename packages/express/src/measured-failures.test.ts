import { fork } from 'node:child_process'
import { once } from 'node:events'
import { mkdtemp, rm } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { jsonFingerprint, memoryStore, type IdempotencyOptions, type IdempotencyStore } from '@hopwise/core'
import { rawConnect, rawRequest, requestText, type RawResponse } from '@hopwise/testkit/adapter'
import express, { type Request, type RequestHandler } from 'express'
import { describe, expect, onTestFinished, test } from 'vitest'
import { idempotent } from './index.js'

// Each published middleware that we ran fails something of this. The names are those of the measurements: what it was,
// what was sent, and what it did. Here is what is to be done instead.

type Options = Partial<IdempotencyOptions<Request>>

interface Sent {
  readonly user?: string
  readonly key?: string
  readonly path?: string
  readonly body?: string | Uint8Array
  readonly fields?: Record<string, string>
}

/** An app with one protected handler on /pay and /other, which knows how often it ran. */
async function service(handler: (run: number, ...args: Parameters<RequestHandler>) => unknown, options: Options = {}) {
  let runs = 0
  const app = express()
  const protect = idempotent({ store: memoryStore(), principal: (request) => request.get('x-user') ?? 'alice', ...options })
  app.set('env', 'test')
  app.post(['/pay', '/other'], protect, express.raw({ type: () => true }), (...args) => handler(++runs, ...args))
  const server = app.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => {
    server.close()
    server.closeAllConnections()
  })
  const { port } = server.address() as AddressInfo
  const text = ({ user = 'alice', key = 'ef778f1f-cf80-4ec7-9b07-d039626aa5a0', path = '/pay', body = '{"amount":1}', fields = {} }: Sent = {}) =>
    requestText('POST', path, { 'x-user': user, 'idempotency-key': key, 'content-type': 'application/json', ...fields }, body)
  return { port, text, post: (sent?: Sent): Promise<RawResponse> => rawRequest(port, text(sent)), runs: () => runs, app }
}

const json: Parameters<typeof service>[0] = (run, _request, response) => response.status(201).json({ run })

/** A store whose every operation takes a moment, as over a network. */
const slow = (store: IdempotencyStore): IdempotencyStore => ({
  ...store,
  claim: async (request) => {
    await new Promise(setImmediate)
    return store.claim(request)
  },
})

describe('50 concurrent requests with one key run once', () => {
  test.each([
    ['express-idempotency ran three times', memoryStore()],
    ['universal-idempotent-request (2 ms store) ran three times', slow(memoryStore())],
  ])('%s', async (_measured, store) => {
    const { post, runs } = await service(json, { store })
    const answers = (await Promise.all(Array.from({ length: 50 }, () => post()))).map(({ status, body }) => (status === 409 ? 409 : `${status} ${body.toString()}`))
    expect(runs()).toBe(1)
    expect(new Set(answers.filter((answer) => answer !== 409))).toEqual(new Set(['201 {"run":1}']))
  })
})

describe('express-idempotency', () => {
  test('a client sends x-hit: true: it hung. It is a field like any other', async () => {
    const { post, runs } = await service(json)
    expect([(await post({ fields: { 'x-hit': 'true' } })).status, runs()]).toEqual([201, 1])
  })

  test('the store throws once: the whole process ended. It is one 503, and then all is well', async () => {
    const store = memoryStore()
    let fail = true
    const { post } = await service(json, {
      store: {
        ...store,
        claim: (request) => {
          if (!fail) return store.claim(request)
          fail = false
          throw new Error('away')
        },
      },
    })
    expect([(await post()).status, (await post()).status]).toEqual([503, 201])
  })
})

describe('hono-idempotency', () => {
  test('default config: mallory got alice\'s response. Each principal has keys of its own, and there is no default', async () => {
    const { post } = await service((run, request, response) => response.json({ run, user: request.get('x-user') }))
    await post({ user: 'alice' })
    expect((await post({ user: 'mallory' })).body.toString()).toBe('{"run":2,"user":"mallory"}')
  })

  test('a binary response was changed the first time already', async () => {
    const bytes = Buffer.from([0x89, 0x50, 0xff, 0xfe, 0x00])
    const { post } = await service((_run, _request, response) => response.send(bytes))
    expect([(await post()).body, (await post()).body]).toEqual([bytes, bytes])
  })

  test.each(['application/octet-stream', 'multipart/form-data; boundary=x'])('a binary upload reached the handler changed: %s', async (type) => {
    const bytes = Buffer.from([0x89, 0xff, 0xfe, 0x00])
    const { post } = await service((_run, request, response) => response.send((request.body as Buffer).toString('hex')))
    expect((await post({ body: bytes, fields: { 'content-type': type } })).body.toString()).toBe('89fffe00')
  })

  test.each([
    ['303 See Other', (run: number) => ({ status: 303, location: `/order/${run}` })],
    ['402 declined', (run: number) => ({ status: 402, location: `/declined/${run}` })],
  ])('%s ran again on a retry', async (_what, answer) => {
    const { post, runs } = await service((run, _request, response) => response.status(answer(run).status).location(answer(run).location).json({ run }))
    const [first, second] = [await post(), await post()]
    expect([second.status, second.field('location'), second.body]).toEqual([first.status, first.field('location'), first.body])
    expect(runs()).toBe(1)
  })

  test('an event stream came only when it was over. It is refused at once, since it may never be', async () => {
    const { post } = await service((_run, _request, response) => {
      response.type('text/event-stream')
      response.write('data: 1\n\n')
    })
    expect((await post()).status).toBe(500)
  })

  test('a bare key and then the same one quoted ran twice', async () => {
    const { post, runs } = await service(json)
    await post({ key: 'abc' })
    expect([(await post({ key: '"abc"' })).status, runs()]).toEqual([201, 1])
  })

  test('reordered JSON is 422: so it is here by default, and the same request where one asks for it', async () => {
    const strict = await service(json)
    await strict.post({ body: '{"a":1,"b":2}' })
    expect((await strict.post({ body: '{"b":2,"a":1}' })).status).toBe(422)
    const loose = await service(json, { fingerprint: jsonFingerprint() })
    await loose.post({ body: '{"a":1,"b":2}' })
    expect((await loose.post({ body: '{"b":2,"a":1}' })).status).toBe(201)
  })
})

test('hono-idempotency on D1: a key that came again after its TTL was 409 for ever. It runs, at the first request', async () => {
  let time = 0
  const { post, runs } = await service(json, { store: memoryStore({ now: () => time }), retention: '1h' })
  await post()
  time += 3_600_000
  expect([(await post()).body.toString(), (await post()).body.toString(), runs()]).toEqual(['{"run":2}', '{"run":2}', 2])
})

describe('idempot-js', () => {
  test('across users, a replay carried the first one\'s cookie', async () => {
    const { post } = await service((run, _request, response) => response.cookie('sid', 'secret-of-alice').json({ run }))
    expect((await post()).field('set-cookie')).toContain('secret-of-alice')
    for (const user of ['alice', 'mallory']) {
      const again = await post({ user })
      expect(again.field('idempotent-replayed') === 'true' && again.field('set-cookie') !== undefined).toBe(false)
    }
  })

  test('two users, different fresh keys, both with empty bodies: the second one got 409', async () => {
    const { post, runs } = await service(json)
    expect([(await post({ user: 'a', key: 'key-a', body: '' })).status, (await post({ user: 'b', key: 'key-b', body: '' })).status, runs()]).toEqual([201, 201, 2])
  })

  test('the same key and body on a different route got the first route\'s answer', async () => {
    const { post, runs } = await service((run, request, response) => response.json({ run, path: request.path }))
    await post({ path: '/pay' })
    expect((await post({ path: '/other' })).status).toBe(422)
    expect(runs()).toBe(1)
  })

  test.each([
    ['binary', (response: Parameters<RequestHandler>[1]) => response.send(Buffer.from([0, 0xff, 0xfe, 1])), Buffer.from([0, 0xff, 0xfe, 1])],
    ['res.write and res.end', (response: Parameters<RequestHandler>[1]) => {
      response.write('hello ')
      response.end('world')
    }, Buffer.from('hello world')],
  ])('%s came back otherwise, or empty', async (_what, write, expected) => {
    const { post } = await service((_run, _request, response) => write(response))
    expect([(await post()).body, (await post()).body]).toEqual([expected, expected])
  })

  test('a client that times out in the middle of the handler got 409 for a day', async () => {
    let go = (): void => {}
    const released = new Promise<void>((resolve) => {
      go = resolve
    })
    let began = (): void => {}
    const running = new Promise<void>((resolve) => {
      began = resolve
    })
    const { port, text, post, runs } = await service(async (run, _request, response) => {
      began()
      await released
      response.json({ run })
    }, { onConflict: 'wait' })
    const client = await rawConnect(port)
    client.write(text())
    await running
    client.destroy()
    go()
    expect([(await post()).body.toString(), runs()]).toEqual(['{"run":1}', 1])
  })

  test('a handler that throws was replayed as an empty 500', async () => {
    const { post, runs } = await service((run) => {
      throw new Error(`boom ${run}`)
    })
    const [first, second] = [await post(), await post()]
    expect(first.body.length).toBeGreaterThan(0)
    expect([second.status, second.body, runs()]).toEqual([500, first.body, 1])
  })
})

describe('node-idempotency', () => {
  test.each([
    ['204 No Content', (response: Parameters<RequestHandler>[1]) => response.status(204).end(), 204, ''],
    ['res.json(0)', (response: Parameters<RequestHandler>[1]) => response.json(0), 200, '0'],
    ['res.end()', (response: Parameters<RequestHandler>[1]) => response.end(), 200, ''],
    ['a 500 in JSON', (response: Parameters<RequestHandler>[1]) => response.status(500).json({ error: 'transient' }), 500, '{"error":"transient"}'],
  ])('%s ran again, or came back otherwise, or got stuck', async (_what, write, status, body) => {
    const { post, runs } = await service((_run, _request, response) => write(response))
    for (let time = 0; time < 2; time++) {
      const response = await post()
      expect([response.status, response.body.toString()]).toEqual([status, body])
    }
    expect(runs()).toBe(1)
  })

  test('an error by next(err) got stuck for a day', async () => {
    const { post, runs } = await service((run, _request, _response, next) => next(new Error(`E${run}`)))
    expect([(await post()).status, (await post()).status, runs()]).toEqual([500, 500, 1])
  })

  test('the Location field was gone on a replay', async () => {
    const { post } = await service((run, _request, response) => response.status(201).location(`/orders/${run}`).json({}))
    expect([(await post()).field('location'), (await post()).field('location')]).toEqual(['/orders/1', '/orders/1'])
  })

  test('a store that is down: the request hung', async () => {
    const { post, runs } = await service(json, { store: { ...memoryStore(), claim: () => new Promise(() => {}) }, storeDeadline: 50 })
    expect([(await post()).status, runs()]).toEqual([503, 0])
  })
})

describe('Powertools and redisx', () => {
  test('an identical retry with payload validation on was an error', async () => {
    const { post } = await service(json)
    await post()
    expect((await post()).field('idempotent-replayed')).toBe('true')
  })

  test('a stale owner that came back overwrote the result of the one that had taken over', async () => {
    let time = 0
    const store = memoryStore({ now: () => time })
    const gates: (() => void)[] = []
    let begun = (): void => {}
    const { port, text, post } = await service(async (run, _request, response) => {
      if (run === 1) {
        await new Promise<void>((resolve) => {
          gates.push(resolve)
          begun()
        })
      }
      response.json({ from: run })
    }, { store: { ...store, renew: async () => true }, lease: '30s' })
    const began = new Promise<void>((resolve) => {
      begun = resolve
    })
    const stale = await rawConnect(port)
    stale.write(text())
    await began
    time += 30_001
    expect((await post()).body.toString()).toBe('{"from":2}')
    gates[0]?.()
    expect((await stale.response()).body.toString()).toBe('{"from":2}')
    expect((await post()).body.toString()).toBe('{"from":2}')
    stale.destroy()
  })

  test('a handler slower than its lease ran twice while it was alive', async () => {
    let time = 0
    const store = memoryStore({ now: () => time })
    let renewals = 0
    let renewed = (): void => {}
    const twelve = new Promise<void>((resolve) => {
      renewed = resolve
    })
    const { port, text, post, runs } = await service(async (run, _request, response) => {
      await twelve
      response.json({ run })
    }, {
      store: {
        ...store,
        renew: async (...args) => {
          const held = await store.renew(...args)
          // Four leases pass while it runs, a third at a time.
          time += 100
          if (++renewals === 12) renewed()
          return held
        },
      },
      lease: 300,
    })
    const first = await rawConnect(port)
    first.write(text())
    expect((await first.response()).body.toString()).toBe('{"run":1}')
    expect([(await post()).body.toString(), runs()]).toEqual(['{"run":1}', 1])
    first.destroy()
  })

  test('the effect is done and saving fails: the caller got an error', async () => {
    const { post, runs } = await service(json, { store: { ...memoryStore(), complete: () => Promise.reject(new Error('away')) } })
    expect([(await post()).status, (await post()).status, runs()]).toEqual([201, 409, 1])
  })
})

test('killed in mid-flight, all three left the key stuck for a day: here its lease ends, and a fresh process runs it', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'hopwise-kill-'))
  onTestFinished(() => rm(folder, { recursive: true, force: true }))
  const leaseMs = 1_000
  const start = async (...args: string[]) => {
    const child = fork(fileURLToPath(new URL('testing/killed-server.mjs', import.meta.url)), [join(folder, 'keys.db'), String(leaseMs), ...args], { execArgv: [] })
    onTestFinished(() => void child.kill('SIGKILL'))
    const [port] = (await once(child, 'message')) as [number]
    return { child, port }
  }
  const text = requestText('POST', '/pay', { 'idempotency-key': 'key-1' }, '{}')
  const first = await start('--slow')
  const client = await rawConnect(first.port)
  client.write(text)
  expect(await once(first.child, 'message')).toEqual(['running', undefined])
  first.child.kill('SIGKILL')
  await once(first.child, 'exit')
  const second = await start()
  const since = performance.now()
  let response = await rawRequest(second.port, text)
  while (response.status === 409) response = await rawRequest(second.port, text)
  expect([response.status, response.body.toString()]).toEqual([200, '{"attempt":2}'])
  expect(performance.now() - since).toBeLessThan(leaseMs + 1_000)
  client.destroy()
})
