import type { Controller, CurrentHandler, LegacyHandler } from './dispatch.js'
import type { DispatchAttempt } from './dispatch-attempt.js'
import type { Exchange } from './exchange.js'
import { listOf, rawField } from './fields.js'
import { Gate } from './gate.js'

/** Whether a handler has the shape of undici 7 and 8. */
export function isCurrent(handler: object): handler is CurrentHandler {
  return 'onRequestStart' in handler && typeof handler.onRequestStart === 'function'
}

/** The handler of one attempt, in the shape of undici 6. */
export function legacyHandler(above: LegacyHandler, exchange: Exchange, attempt: DispatchAttempt): LegacyHandler {
  const gate = new Gate(exchange, attempt, (chunk) => above.onData?.(chunk))
  return {
    onConnect: (abort) => void exchange.begun(attempt, abort, 'anything'),
    onUpgrade: (status, headers, socket) => above.onUpgrade?.(status, headers, socket),
    onResponseStarted: () => above.onResponseStarted?.(),
    onHeaders: (status, headers, resume, statusText) =>
      gate.head(status, (name) => rawField(headers, name), () => above.onHeaders?.(status, headers, resume, statusText)),
    onData: (chunk) => gate.data(chunk),
    onComplete: (trailers) => gate.end(() => above.onComplete?.(trailers)),
    onError: (error) => gate.error(error),
    onBodySent: (chunk, total) => above.onBodySent?.(chunk, total),
    onRequestSent: () => above.onRequestSent?.(),
  }
}

/** The handler of one attempt, in the shape of undici 7 and 8. */
export function currentHandler(above: CurrentHandler, control: CallController, exchange: Exchange, attempt: DispatchAttempt): CurrentHandler {
  const gate = new Gate(exchange, attempt, (chunk) => above.onResponseData?.(control, chunk))
  return {
    onRequestStart(controller) {
      // One that was dropped while it connected may begin after the next: what the handler above pauses and resumes is not that one.
      if (exchange.begun(attempt, (reason) => controller.abort(reason), 'refused-only')) control.attempt = controller
    },
    onRequestUpgrade: (_controller, status, headers, socket) => above.onRequestUpgrade?.(control, status, headers, socket),
    onResponseStarted: () => above.onResponseStarted?.(),
    onResponseStart: (controller, status, headers, statusMessage) =>
      void gate.head(status, (name) => listOf(headers[name]), () => {
        control.rawHeaders = controller?.rawHeaders
        above.onResponseStart?.(control, status, headers, statusMessage)
      }),
    onResponseData: (_controller, chunk) => void gate.data(chunk),
    onResponseEnd: (controller, trailers) =>
      gate.end(() => {
        control.rawTrailers = controller?.rawTrailers
        above.onResponseEnd?.(control, trailers)
      }),
    onResponseError: (_controller, error) => gate.error(error),
    onBodySent: (chunk, total) => above.onBodySent?.(chunk, total),
    onRequestSent: () => above.onRequestSent?.(),
  }
}

/** What the handler above holds for the whole call, whichever attempt it is that runs. */
export class CallController implements Controller {
  readonly #abort: (reason: unknown) => void
  #attempt: Controller | undefined
  #paused = false
  aborted = false
  reason: unknown = null
  rawHeaders: unknown = null
  rawTrailers: unknown = null

  constructor(abort: (reason: unknown) => void) {
    this.#abort = abort
  }

  set attempt(controller: Controller) {
    this.#attempt = controller
    if (this.#paused) controller.pause()
  }

  get paused(): boolean {
    return this.#paused
  }

  abort(reason: unknown): void {
    if (this.aborted) return
    this.aborted = true
    this.reason = reason
    this.#abort(reason)
  }

  pause(): void {
    this.#paused = true
    this.#attempt?.pause()
  }

  resume(): void {
    this.#paused = false
    this.#attempt?.resume()
  }
}
