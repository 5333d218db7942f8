import type { CommonOptions } from '../../options.js'
import type { Dispatch, DispatchOptions, LegacyHandler } from '../dispatch.js'
import { hopwiseOf } from '../interceptor.js'

/** Requests as undici has them. */
export const post: DispatchOptions = { origin: 'http://a.example', path: '/x', method: 'POST', body: 'tea' }
export const get: DispatchOptions = { ...post, method: 'GET', body: null }
export const keyed: DispatchOptions = { ...post, headers: ['Idempotency-Key', 'order-1'] }

/** A dispatcher that does what a test says with the handler of each attempt, in the shape of undici 6. */
export function composed(act: (handler: LegacyHandler, attempt: number, options: DispatchOptions) => void, options: CommonOptions = {}) {
  let attempts = 0
  const dispatch = (given: DispatchOptions, handler: object): boolean => {
    act(handler, (attempts += 1), given)
    return true
  }
  // Without a watch: what the handler is told is all the evidence.
  const interceptor = hopwiseOf({ random: () => 0, ...options }, { watch: null })
  const heard: unknown[] = []
  interceptor.on('budgetSpent', ({ status, verdict }) => heard.push(status ?? verdict))
  const told: string[] = []
  interceptor.on('retry', ({ status, verdict }) => told.push(`retry: ${status ?? verdict}`))
  interceptor.on('failed', ({ verdict, evidence }) => told.push(`failed: ${verdict}, ${evidence.sent}`))
  return { dispatch: interceptor(dispatch as Dispatch), attempts: () => attempts, heard, told }
}

/** Makes a call, and reads its response to the end. */
export function call(dispatch: Dispatch, options: DispatchOptions): Promise<{ status: number; body: string }> {
  return new Promise((resolve, reject) => {
    let status = 0
    let body = ''
    const handler: LegacyHandler = {
      onConnect: () => {},
      onHeaders: (code) => ((status = code), true),
      onData: (chunk) => ((body += Buffer.from(chunk).toString()), true),
      onComplete: () => resolve({ status, body }),
      onError: reject,
    }
    dispatch(options, handler)
  })
}

/** A whole response. */
export const answer = (handler: LegacyHandler, status: number, fields: readonly string[] = [], chunks: readonly string[] = []): void => {
  handler.onHeaders?.(status, fields.map((text) => Buffer.from(text)), () => {}, '')
  for (const chunk of chunks) handler.onData?.(Buffer.from(chunk))
  handler.onComplete?.([])
}
/** What a connection that dies fails with. */
export const lost = Object.assign(new Error('other side closed'), { code: 'UND_ERR_SOCKET' })
