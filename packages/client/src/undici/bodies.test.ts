import { Readable } from 'node:stream'
import { describe, expect, test } from 'vitest'
import type { DispatchOptions, LegacyHandler } from './dispatch.js'
import { answer, call, composed, keyed, lost } from './testing/composed.js'

const put: DispatchOptions = { ...keyed, method: 'PUT', body: null }
/** What an interceptor is given, in text. */
const textOf = (body: unknown): string => (typeof body === 'string' ? body : Buffer.from(body as Uint8Array).toString())

describe('bytes are sent as they were when the call was made', () => {
  const bytes = (): Uint8Array<ArrayBuffer> => new Uint8Array(Buffer.from('-first-'))
  test.each<[string, () => { body: unknown; whole: Uint8Array }]>([
    ['a Buffer', () => { const body = Buffer.from('first'); return { body, whole: body } }],
    ['a view', () => { const whole = bytes(); return { body: whole.subarray(1, 6), whole } }],
    ['a DataView', () => { const whole = bytes(); return { body: new DataView(whole.buffer, 1, 5), whole } }],
    ['an ArrayBuffer', () => { const whole = new Uint8Array(Buffer.from('first')); return { body: whole.buffer, whole } }],
  ])('%s', async (_what, make) => {
    const { body, whole } = make()
    const sent: string[] = []
    const { dispatch } = composed((handler, attempt, options) => {
      sent.push(textOf(options.body))
      whole.fill(90)
      handler.onConnect?.(() => {})
      answer(handler, attempt === 1 ? 503 : 200)
    })
    await call(dispatch, { ...keyed, body })
    expect(sent).toEqual(['first', 'first'])
  })

  test('what nobody can overwrite is not copied', async () => {
    const seen: unknown[] = []
    const { dispatch } = composed((handler, _attempt, options) => {
      seen.push(options.body)
      handler.onConnect?.(() => {})
      answer(handler, 200)
    })
    const blob = new Blob(['tea'])
    await call(dispatch, { ...keyed, body: blob })
    expect(seen[0]).toBe(blob)
  })
})

/** Bodies that getBody may make, each with whether it was ended. */
const kinds: [string, () => { body: unknown; ended: () => boolean }][] = [
  ['a stream of Node', () => { const body = Readable.from(['tea']); return { body, ended: () => body.destroyed } }],
  // Each fails when it is ended: were that anybody's rejection, the run would fail.
  ['a web stream', () => { let ended = false; return { body: new ReadableStream({ cancel: () => { ended = true; throw new Error('no') } }), ended: () => ended } }],
  ['an iterator', () => { let ended = false; return { body: { [Symbol.asyncIterator]() { return this }, next: async () => ({ done: false, value: 'tea' }), return: async () => { ended = true; throw new Error('no') } }, ended: () => ended } }],
]

describe.each(kinds)('%s that getBody has made', (_what, make) => {
  /** Makes a call with bodies of this kind; gives which of them were ended when it was over. */
  async function endedOf(act: (handler: LegacyHandler, attempt: number) => void): Promise<boolean[]> {
    const made: { ended: () => boolean }[] = []
    const getBody = (): unknown => {
      const one = make()
      made.push(one)
      return one.body
    }
    await call(composed(act, { retry: { attempts: 2 } }).dispatch, { ...put, getBody }).catch(() => {})
    return made.map(({ ended }) => ended())
  }

  test('is ended where its attempt fails', async () => {
    expect(await endedOf((handler) => handler.onError?.(lost))).toEqual([true, true])
  })

  test('is ended where the dispatcher throws', async () => {
    expect(await endedOf(() => { throw new Error('invalid') })).toEqual([true])
  })

  test('is ended where its answer is not wanted, and left alone where it is', async () => {
    const ended = await endedOf((handler, attempt) => {
      handler.onConnect?.(() => {})
      answer(handler, attempt === 1 ? 503 : 200)
    })
    expect(ended).toEqual([true, false])
  })

  test('is ended, and not sent, where the caller gives up while it is made', async () => {
    const { body, ended } = make()
    const { dispatch, attempts } = composed(() => {})
    let abort = (_reason: unknown): void => {}
    let finish = (_body: unknown): void => {}
    const making = new Promise<unknown>((resolve) => (finish = resolve))
    const told: unknown[] = []
    const above: LegacyHandler = { onConnect: (given) => void (abort = given), onError: (error) => void told.push((error as { verdict: string }).verdict) }
    const asked = new Promise<void>((resolve) => void dispatch({ ...put, getBody: () => (resolve(), making) }, above))
    await asked
    abort(new Error('enough'))
    expect(ended()).toBe(false)
    finish(body)
    await expect.poll(ended).toBe(true)
    expect([told, attempts()]).toEqual([['aborted'], 0])
  })

  test('is ended where the caller gives up while a connection is opened', async () => {
    const { body, ended } = make()
    let abort = (_reason: unknown): void => {}
    const error = await new Promise((resolve) => {
      const { dispatch } = composed(() => abort(new Error('enough')))
      const above: LegacyHandler = { onConnect: (given) => void (abort = given), onError: resolve }
      dispatch({ ...put, getBody: () => body }, above)
    })
    expect(error).toMatchObject({ verdict: 'aborted', sent: false })
    expect(ended()).toBe(true)
  })
})

test('a form of getBody is a mistake: it would have another boundary on each attempt', async () => {
  const { dispatch, attempts } = composed(() => {})
  await expect(call(dispatch, { ...put, getBody: () => new FormData() })).rejects.toMatchObject({ sent: false, attempts: 1, cause: { message: 'getBody: a form has another boundary each time it is made; give it as body' } })
  expect(attempts()).toBe(0)
})

test('a stream that fails only when it is ended is nobody\'s error', async () => {
  const body = new Readable({ read() {}, destroy: (_error, done) => done(new Error('no such file')) })
  const closed = new Promise<void>((resolve) => body.on('close', resolve))
  const { dispatch } = composed((handler) => handler.onError?.(lost), { retry: { attempts: 1 } })
  await expect(call(dispatch, { ...put, getBody: () => body })).rejects.toMatchObject({ verdict: 'not-sent' })
  await closed
  expect(body.errored).toMatchObject({ message: 'no such file' })
})
