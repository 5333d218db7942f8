import { describe, expect, test } from 'vitest'
import type { RequestError } from '../request-error.js'
import type { CurrentHandler, Dispatch, DispatchOptions, LegacyHandler } from './dispatch.js'
import { hopwiseOf } from './interceptor.js'
import { answer, call, composed, get, keyed, lost, post } from './testing/composed.js'

describe('what the handler is told', () => {
  test('is that nothing was sent, where the dispatcher has not begun', async () => {
    const { dispatch, attempts } = composed((handler, attempt) => {
      if (attempt === 1) return handler.onError?.(lost)
      handler.onConnect?.(() => {})
      answer(handler, 200)
    })
    expect(await call(dispatch, post)).toMatchObject({ status: 200 })
    expect(attempts()).toBe(2)
  })

  test('is that it may have been sent, where it has begun', async () => {
    const { dispatch, attempts } = composed((handler) => {
      handler.onConnect?.(() => {})
      handler.onError?.(lost)
    })
    await expect(call(dispatch, post)).rejects.toMatchObject({ verdict: 'fresh-loss', sent: true, reused: 'unknown', attempts: 1 })
    expect(attempts()).toBe(1)
  })
})

describe('a dispatcher that begins a request anew by itself, as undici 6 does after GOAWAY', () => {
  /** Gives how often the request went out. */
  async function sends(options: DispatchOptions, bodies: unknown[] = []): Promise<number> {
    let out = 0
    const { dispatch } = composed((handler, _attempt, { body }) => {
      bodies.push(body)
      let aborted: unknown
      for (let n = 0; n < 2 && aborted === undefined; n += 1) {
        handler.onConnect?.((reason) => {
          aborted = reason ?? new Error('aborted')
        })
        if (aborted === undefined) out += 1
      }
      if (aborted === undefined) answer(handler, 200)
      else handler.onError?.(aborted)
    })
    await call(dispatch, options).catch((error: RequestError) => error)
    return out
  }

  test('is kept from sending a POST twice, and let do it with what may be repeated', async () => {
    expect(await sends(post)).toBe(1)
    expect(await sends(get)).toBe(2)
    expect(await sends(keyed)).toBe(2)
  })

  test('is kept from reading a body twice that can be read once', async () => {
    const put: DispatchOptions = { ...post, method: 'PUT' }
    expect(await sends(put)).toBe(2)
    expect(await sends({ ...put, body: new ReadableStream() })).toBe(1)
    expect(await sends({ ...put, getBody: () => 'tea' })).toBe(2)
    // Each attempt has a stream of its own, and of the two that there are each is begun once.
    const bodies: unknown[] = []
    expect(await sends({ ...put, getBody: () => new ReadableStream() }, bodies)).toBe(bodies.length)
    expect(new Set(bodies).size).toBe(bodies.length)
  })
})

describe('a response that is not wanted', () => {
  test('is not seen above, whatever its length', async () => {
    let aborted = 0
    const { dispatch } = composed((handler, attempt) => {
      handler.onConnect?.((reason) => {
        aborted += 1
        handler.onError?.(reason)
      })
      if (attempt > 1) return answer(handler, 200, [], ['fine'])
      handler.onHeaders?.(503, [], () => {}, '')
      for (let n = 0; n < 9 && aborted === 0; n += 1) handler.onData?.(Buffer.alloc(10_000))
    })
    expect(await call(dispatch, get)).toEqual({ status: 200, body: 'fine' })
    expect(aborted).toBe(1)
  })

  test('an upgrade is left alone', () => {
    const seen: object[] = []
    const dispatch = hopwiseOf({}, { watch: null })(((_options: DispatchOptions, handler: object) => seen.push(handler) > 0) as Dispatch)
    const handler = { onConnect() {} }
    dispatch({ ...get, upgrade: 'websocket' }, handler)
    dispatch({ ...get, method: 'CONNECT' }, handler)
    dispatch(get, handler)
    expect(seen.map((one) => one === handler)).toEqual([true, true, false])
  })
})

test('what the handler above pauses and resumes is the attempt that runs, in the shape of undici 7 and 8', async () => {
  const done: string[] = []
  const controllerOf = (name: string) => ({ aborted: false, reason: null, paused: false, abort: (reason: unknown) => done.push(`${name} aborts: ${String(reason)}`), pause: () => done.push(`${name} pauses`), resume: () => done.push(`${name} resumes`) })
  let attempt = 0
  const beneath = (_options: DispatchOptions, handler: object): boolean => {
    const current = handler as CurrentHandler
    const controller = controllerOf(`attempt ${(attempt += 1)}`)
    current.onRequestStart?.(controller, null)
    if (attempt === 1) current.onResponseError?.(controller, lost)
    else current.onResponseStart?.(controller, 200, {}, 'OK')
    return true
  }
  await new Promise<void>((resolve) => {
    const above: CurrentHandler = {
      onRequestStart: (controller) => controller.pause(),
      onResponseStart(controller) {
        controller.resume()
        controller.abort('enough')
      },
      onResponseError: (_controller, error) => {
        done.push(String((error as RequestError).verdict))
        resolve()
      },
    }
    hopwiseOf({ random: () => 0 }, { watch: null })(beneath as Dispatch)(get, above)
  })
  expect(done).toEqual(['attempt 1 pauses', 'attempt 2 pauses', 'attempt 2 resumes', 'aborted', 'attempt 2 aborts: enough'])
})

test.each([
  ['a flat list', ['Accept', 'text/plain']],
  ['an object', { accept: 'text/plain' }],
  ['pairs', new Map([['accept', 'text/plain']])],
  ['nothing', undefined],
])('fields are added to %s in its own shape', async (_what, headers) => {
  let seen: unknown
  const { dispatch } = composed((handler, _attempt, options) => {
    seen = options.headers
    handler.onConnect?.(() => {})
    answer(handler, 200)
  })
  await call(dispatch, { ...get, headers })
  const flat = Array.isArray(seen) ? seen : Object.entries(seen as object).flat()
  expect(flat).toContain('x-request-id')
  expect(Array.isArray(seen)).toBe(headers !== undefined && Symbol.iterator in headers)
  if (headers !== undefined) expect(flat).toContain('text/plain')
})

test('a dispatcher that throws has not begun', async () => {
  let attempts = 0
  const dispatch = hopwiseOf({ random: () => 0 }, { watch: null })((() => {
    attempts += 1
    throw Object.assign(new Error('invalid'), { code: 'UND_ERR_INVALID_ARG' })
  }) as Dispatch)
  await expect(call(dispatch, post)).rejects.toMatchObject({ verdict: 'not-sent', attempts: 1, code: 'UND_ERR_INVALID_ARG' })
  expect(attempts).toBe(1)
})

test('a path is never taken for another origin', async () => {
  let key: unknown
  const dispatch = hopwiseOf({ trustedOrigins: ['http://trusted.example'] }, { watch: null })(((options: DispatchOptions, handler: LegacyHandler) => {
    key = (options.headers as Record<string, string>)['idempotency-key']
    handler.onConnect?.(() => {})
    answer(handler, 200)
    return true
  }) as Dispatch)
  await call(dispatch, { ...post, path: '//trusted.example/x' })
  expect(key).toBeUndefined()
  await call(dispatch, { ...post, origin: 'http://trusted.example', path: '//a.example/x' })
  expect(key).toBeTypeOf('string')
})

test('getBody makes the body of each attempt, and an error in it is told', async () => {
  const bodies: unknown[] = []
  const { dispatch } = composed((handler, attempt, options) => {
    bodies.push(options.body, 'getBody' in options)
    handler.onConnect?.(() => {})
    if (attempt === 1) answer(handler, 503)
    else answer(handler, 200)
  })
  let made = 0
  expect(await call(dispatch, { ...keyed, body: null, getBody: async () => `body ${(made += 1)}` })).toMatchObject({ status: 200 })
  expect(bodies).toEqual(['body 1', false, 'body 2', false])
  await expect(call(dispatch, { ...keyed, getBody: () => { throw new Error('no body') } })).rejects.toThrow('no body')
})

test('that the budget is spent is told: of a response that is handed over, and of a call that fails', async () => {
  const { dispatch, attempts, heard } = composed(
    (handler, attempt) => {
      handler.onConnect?.(() => {})
      if (attempt < 3) answer(handler, 503)
      else handler.onError?.(new Error('other side closed'))
    },
    { budget: { tokens: 1 } },
  )
  expect(await call(dispatch, get)).toMatchObject({ status: 503 })
  await expect(call(dispatch, get)).rejects.toMatchObject({ verdict: 'fresh-loss', attempts: 1, budgetSpent: true })
  expect([attempts(), heard]).toEqual([3, [503, 'fresh-loss']])
})
