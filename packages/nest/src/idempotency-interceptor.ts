import { keepRawBody } from '@hopwise/node'
import { Inject, Injectable, type CallHandler, type ExecutionContext, type NestInterceptor } from '@nestjs/common'
import type { ServerResponse } from 'node:http'
import { finalize, fromEvent, map, of, takeUntil, tap, type Observable } from 'rxjs'
import { ignoreFurtherAnswer } from './answered.js'
import { holdHeader } from './hold-header.js'
import { IdempotencyEngines } from './idempotency-engines.js'
import { keepFlowing } from './keep-flowing.js'
import { showPendingFields } from './pending-fields.js'
import { exchangeOf, type Exchange } from './platform.js'
import { routeOf } from './route.js'
import { whenClosed } from './when-closed.js'

/** Where Nest keeps that a handler is one of `@Sse()`. */
const SSE_METADATA = '__sse__'

/**
 * What `@Idempotent()` puts around a handler. It runs after the guards, so that the principal is known, and before pipes
 * and handler. The engine works on Node's own request and response, below everything of Nest: what it stores is what
 * interceptors, filters and serializers have made of the result. Where it answers itself, the handler does not run, and
 * interceptors further out see `undefined` when the answer is out.
 */
@Injectable()
export class IdempotencyInterceptor implements NestInterceptor {
  readonly #engines: IdempotencyEngines

  constructor(@Inject(IdempotencyEngines) engines: IdempotencyEngines) {
    this.#engines = engines
  }

  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> | Promise<Observable<unknown>> {
    if (context.getType() !== 'http') return next.handle()
    const exchange = exchangeOf(context)
    const { request, native } = exchange
    // Both the controller and its handler have one: the first of them knows the options of both.
    if (!this.#engines.enter(native, { request, target: request.originalUrl, route: routeOf(context, request) })) return next.handle()
    if (request.rawBody instanceof Uint8Array) keepRawBody(native, undefined, request.rawBody)
    return this.#begin(exchange, context, next)
  }

  #begin(exchange: Exchange, context: ExecutionContext, next: CallHandler): Promise<Observable<unknown>> {
    const { native, response } = exchange
    const protect = this.#engines.of(context.getClass(), context.getHandler())
    const isSse = Reflect.hasMetadata(SSE_METADATA, context.getHandler())
    const release = isSse ? holdHeader(response) : () => {}
    return new Promise((resolve, reject) => {
      const hideAgain = showPendingFields(exchange)
      const end = (): void => {
        ignoreFurtherAnswer(exchange)
        resolve(of(undefined))
      }
      this.#engines.onEnded(native, (how) => (how === 'gone' ? end() : whenClosed(response, end)))
      protect(native, response, (error) => {
        hideAgain()
        release()
        if (error !== undefined) return reject(error as Error)
        // In the context that knows the run, which Nest binds here to what it does when somebody subscribes.
        const result = giveUpIfCut(next.handle().pipe(map(keepFlowing)), response)
        // An event stream that is refused is over at once, and nobody would tell the handler.
        resolve(isSse ? result.pipe(takeUntil(fromEvent(response, 'finish'))) : result)
      })
    })
  }
}

/** Nest unsubscribes from a handler's Observable when its client goes away: then there is no result, and no key to keep for it. */
function giveUpIfCut(result: Observable<unknown>, response: ServerResponse): Observable<unknown> {
  let over = false
  const end = (): void => {
    over = true
  }
  return result.pipe(
    tap({ complete: end, error: end }),
    finalize(() => {
      if (!over && response.req.socket.destroyed) response.destroy()
    }),
  )
}
