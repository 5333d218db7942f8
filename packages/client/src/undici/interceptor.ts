import { Events, parseOptions, type EventSource } from '@hopwise/core'
import type { ClientEvents } from '../events.js'
import { noForm } from '../body.js'
import { endBody } from '../end-body.js'
import { identify } from '../identity.js'
import { commonFields, readSettings, type CommonOptions } from '../options.js'
import type { VerdictRules } from '../retry-rules.js'
import { findWatch, type Watch } from '../watch/watch.js'
import type { Dispatch, DispatchOptions, Interceptor } from './dispatch.js'
import { Exchange, type ExchangeContext } from './exchange.js'
import { lasting, requestField, withFields } from './fields.js'
import { frozen, isReplayable } from './request-body.js'
import { CallController, currentHandler, isCurrent, legacyHandler } from './handlers.js'

/** An interceptor of undici that tells what it does. */
export type HopwiseInterceptor = Interceptor & EventSource<ClientEvents>

/**
 * Makes an interceptor for the dispatchers of undici 6, 7 and 8: `new Agent().compose(hopwise())`. It repairs and retries by the same
 * rules as `createClient`; redirects are the affair of whatever is above it. Compose it last: what is composed after it is above it, and
 * is not seen twice.
 *
 * A body is sent again where it is a string, bytes or a Blob, or comes from `getBody` among the options of the request; a stream or
 * an iterator that `getBody` has made is ended once its attempt has failed. Bytes are copied. fetch of undici makes a stream of every
 * body; for it, take `createClient({ fetch })`.
 * @throws HopwiseError `option-unknown`, `option-invalid`, `chain-invalid`
 */
export function hopwise(options?: CommonOptions): HopwiseInterceptor {
  return hopwiseOf(options, {})
}

/** {@link hopwise} with other parts than those that are found; for tests. */
export function hopwiseOf(options: CommonOptions | undefined, { rules, watch }: { readonly rules?: VerdictRules; readonly watch?: Watch | null }): HopwiseInterceptor {
  const settings = readSettings('hopwise', parseOptions('hopwise', options, commonFields), rules)
  const events = new Events<ClientEvents>()
  const context: ExchangeContext = { settings, watch: watch === undefined ? findWatch() : (watch ?? undefined), events }
  const intercept = (dispatch: Dispatch): Dispatch => (given, handler) => (isOrdinary(given) ? exchange(dispatch, given, handler, context) : dispatch(given, handler))
  return Object.assign(intercept as unknown as Interceptor, { on: events.on.bind(events) })
}

/** A connection that is taken over is no exchange of messages, and nothing is repeated in it. */
function isOrdinary({ method, upgrade }: DispatchOptions): boolean {
  return method !== 'CONNECT' && (upgrade === undefined || upgrade === null || upgrade === false)
}

function exchange(dispatch: Dispatch, given: DispatchOptions, handler: object, context: ExchangeContext): boolean {
  const origin = originOf(given.origin)
  const url = urlOf(origin, given.path)
  const headers = lasting(given.headers)
  const identity = identify(given.method, url, (name) => requestField(headers, name), context.settings)
  const { getBody, ...options } = { ...given, headers: withFields(headers, identity.add), ...('body' in given && { body: frozen(given.body) }) }
  const replayable = getBody !== undefined || isReplayable(given.body)

  const current = isCurrent(handler)
  const control: CallController = new CallController((reason) => call.abort(reason))
  const call = new Exchange(
    context,
    {
      dispatch: (attempt) => {
        const beneath = current ? currentHandler(handler, control, call, attempt) : legacyHandler(handler, call, attempt)
        if (getBody === undefined) {
          attempt.replayable = replayable
          return dispatch(options, beneath)
        }
        const send = (body: unknown): unknown => {
          // undici ends what it was given, and not in every case: a connection that is refused leaves a stream open.
          attempt.endBody = () => endBody(body)
          attempt.replayable = isReplayable(body)
          return attempt.dropped ? attempt.endBody() : dispatch({ ...options, body }, beneath)
        }
        void Promise.resolve().then(getBody).then(noForm).then(send).catch((error: unknown) => call.failed(attempt, error, true))
        return true
      },
      fail: (error) => (current ? handler.onResponseError?.(control, error) : (handler as { onError?(error: unknown): void }).onError?.(error)),
    },
    { method: given.method, origin, replayable, identity },
  )
  // The handler above may abort from here on: also while a connection is being opened, and between two attempts.
  if (current) handler.onRequestStart?.(control, null)
  else (handler as { onConnect?(abort: (reason?: unknown) => void, context: null): void }).onConnect?.((reason) => call.abort(reason), null)
  return call.send()
}

function originOf(origin: string | URL | null | undefined): string {
  return origin === undefined || origin === null ? '' : new URL(origin).origin
}

/** The path is what the server gets, not what a URL would make of it: `//trusted.example/` is a path of the origin, and no other one. */
function urlOf(origin: string, path: string): URL {
  const base = origin === '' ? 'http://origin.invalid' : origin
  return new URL(path.startsWith('/') ? `${base}${path}` : base)
}
