import { afterEach, describe, expect, test, vi } from 'vitest'
import { manualClock } from '../testing/manual-clock.js'
import type { CommonOptions } from '../options.js'
import type { RequestError } from '../request-error.js'
import type { LegacyHandler } from './dispatch.js'
import { answer, call, composed, get, keyed, lost } from './testing/composed.js'

const begin = (handler: LegacyHandler): void => handler.onConnect?.(() => {})

describe('what the error says is of the whole call', () => {
  test('an attempt was sent and lost, and the next ones find no server', async () => {
    const { dispatch, told } = composed((handler, attempt) => {
      if (attempt === 1) begin(handler)
      handler.onError?.(lost)
    })
    await expect(call(dispatch, keyed)).rejects.toMatchObject({ verdict: 'fresh-loss', sent: true, attempts: 3 })
    // The judge goes by each attempt's own.
    expect(told).toEqual(['retry: fresh-loss', 'retry: not-sent', 'failed: fresh-loss, true'])
  })

  test('an attempt was answered, and the next one finds no server', async () => {
    const { dispatch, told } = composed((handler, attempt) => {
      if (attempt > 1) return handler.onError?.(lost)
      begin(handler)
      answer(handler, 503)
    })
    await expect(call(dispatch, keyed)).rejects.toMatchObject({ verdict: 'response-started', sent: true })
    expect(told.at(0)).toBe('retry: 503')
    expect(told.at(-1)).toBe('failed: response-started, true')
    expect(told).toContain('retry: not-sent')
  })

  /** The first attempt is lost, the second one still connects when `end` is called. */
  async function ended(end: (abort: (reason: unknown) => void) => void, options: CommonOptions): Promise<unknown> {
    const { dispatch, told } = composed((handler, attempt) => {
      if (attempt === 2) return end(abort)
      begin(handler)
      handler.onError?.(lost)
    }, options)
    let abort = (_reason: unknown): void => {}
    const error = await new Promise<unknown>((resolve) => {
      const above: LegacyHandler = { onConnect: (given) => void (abort = given), onError: resolve }
      dispatch(keyed, above)
    })
    return { error, told: told.at(-1) }
  }

  test('the caller gives up while the second attempt connects', async () => {
    const outcome = await ended((abort) => abort(new Error('enough')), {})
    expect(outcome).toMatchObject({ error: { verdict: 'aborted', sent: true, attempts: 2 }, told: 'failed: aborted, true' })
  })

  test('the deadline is over while the second attempt connects', async () => {
    const clock = manualClock()
    const outcome = await ended(() => clock.advance(9_000), { clock, deadline: '9s' })
    expect(outcome).toMatchObject({ error: { name: 'TimeoutError', verdict: 'fresh-loss', sent: true, attempts: 2 }, told: 'failed: fresh-loss, true' })
  })
})

describe('whatever the reason is, the handler above is told, and nothing is thrown at undici', () => {
  const ring = new Error('ring')
  ring.cause = ring
  const unreadable = Proxy.revocable({}, {})
  unreadable.revoke()
  const getter = (key: string): Error => Object.defineProperty(new Error('x'), key, { get: () => { throw new Error('a getter') } })
  const reasons: [string, unknown][] = [
    ['an error that is its own cause', ring],
    ['an object without a prototype', Object.create(null)],
    ['a message that is no text', Object.assign(new Error('x'), { message: 42 })],
    ...['code', 'cause', 'name', 'message', 'http2ErrorCode'].map((key): [string, unknown] => [`a getter of ${key} that throws`, getter(key)]),
    ['a revoked proxy', unreadable.proxy],
    ['a symbol', Symbol('why')],
  ]

  /** What the handler above is told of a call that `act` ends. */
  function told(act: (beneath: LegacyHandler, abort: (reason: unknown) => void) => void): RequestError[] {
    const errors: RequestError[] = []
    let abort = (_reason: unknown): void => {}
    const { dispatch } = composed((handler) => {
      begin(handler)
      act(handler, abort)
    }, { retry: false })
    const above: LegacyHandler = { onConnect: (given) => void (abort = given), onError: (error) => void errors.push(error as RequestError) }
    dispatch({ ...get, method: 'POST' }, above)
    return errors
  }

  test.each(reasons)('%s: the caller gives up', (_what, reason) => {
    const errors = told((_beneath, abort) => abort(reason))
    expect(errors.map(({ verdict, cause }) => [verdict, Object.is(cause, reason)])).toEqual([['aborted', true]])
  })

  test.each(reasons)('%s: an attempt fails', (_what, reason) => {
    const errors = told((beneath) => beneath.onError?.(reason))
    expect(errors.map(({ verdict, cause }) => [verdict, Object.is(cause, reason)])).toEqual([['fresh-loss', true]])
  })

  afterEach(() => void vi.restoreAllMocks())

  test('a handler above that throws', () => {
    const later: (() => void)[] = []
    vi.spyOn(globalThis, 'queueMicrotask').mockImplementation((callback) => void later.push(callback))
    const { dispatch } = composed((handler) => handler.onError?.(lost), { retry: false })
    const above: LegacyHandler = { onConnect() {}, onError: () => { throw new Error('a mistake') } }
    // It can be sent once only, so that the call is over with its first attempt.
    expect(() => dispatch({ ...get, body: new ReadableStream() }, above)).not.toThrow()
    // Nor is it lost.
    expect(later).toHaveLength(1)
    expect(later[0]).toThrow('a mistake')
  })
})
