import type { IncomingMessage, ServerResponse } from 'node:http'
import { createIdempotency, getContext, getRequestId, HopwiseError, runInContext, type Idempotency, type IdempotencyOptions, type Incoming, type PlainResponse, type Ticket } from '@hopwise/core'
import { captureResponse } from './capture-response.js'
import { writeReply } from './reply.js'
import { readRawBody, RequestAborted } from './request-body.js'
import { requestIdentityOf } from './request-id.js'

/** What a handler may know and say of its idempotent run. */
export type IdempotentRun = Pick<Ticket, 'key' | 'attempt' | 'fence' | 'transaction' | 'phase' | 'deriveKey' | 'release'>

/** What differs between frameworks on `node:http`: where they keep the target and the route's pattern. */
export interface NodeRequestReading<Request, Native = Request> {
  /** Path and query as received. */
  readonly target: (request: Request) => string
  /** The pattern of the matched route, else the path. */
  readonly route: (request: Request) => string
  /** The framework's own request, for the functions among the options. [the request itself] */
  readonly native?: (request: Request) => Native
  /** Sends an answer of the middleware itself (a replay, a refusal) the framework's way. [written to the response] */
  readonly reply?: (request: Request, response: ServerResponse, answer: PlainResponse) => void
  /**
   * Told once of each request for which the middleware does not call `next`: it has answered itself, or the client went
   * away while its body was read, and nothing more happens. [nobody is told]
   */
  readonly ended?: (request: Request, how: 'answered' | 'gone') => void
}

/** A handler in the manner of connect: `next()` goes on, `next(error)` goes to the framework's error path. */
export type Middleware<Request> = (request: Request, response: ServerResponse, next: (error?: unknown) => void) => void

/** The idempotency engine as middleware, with the engine's events. */
export type IdempotentMiddleware<Request, Native = Request> = Middleware<Request> & Pick<Idempotency<Native>, 'on'>

const runs = new WeakMap<IncomingMessage, IdempotentRun>()

/**
 * Makes the middleware that protects a handler by Idempotency-Key, for any framework on `node:http`.
 * @throws HopwiseError `option-unknown`, `option-invalid`; at the first request `body-already-read`,
 * `response-already-started`, `mounted-twice`, through `next(error)`
 */
export function createIdempotentMiddleware<Request extends IncomingMessage, Native = Request>(
  options: IdempotencyOptions<Native>,
  reading: NodeRequestReading<Request, Native>,
): IdempotentMiddleware<Request, Native> {
  const engine = createIdempotency<Native>(options)
  const { reply = (_request, response, answer) => writeReply(response, answer), ended } = reading

  const middleware: Middleware<Request> = (request, response, next) => {
    if (response.headersSent) return next(new HopwiseError('response-already-started', 'the response began before the idempotency middleware ran'))
    const earlier = runs.get(request)
    if (earlier !== undefined) {
      earlier.release()
      return next(new HopwiseError('mounted-twice', 'two idempotency middlewares ran for one request; mount it once'))
    }
    engine.begin(toIncoming(request, reading)).then(
      (decision) => {
        if (decision.kind === 'pass') return next()
        if (decision.kind === 'reply') {
          reply(request, response, decision.response)
          return ended?.(request, 'answered')
        }
        runs.set(request, decision.ticket)
        captureResponse(response, decision.ticket)
        runInContext({ ...getContext(), run: decision.ticket }, next)
      },
      (error: unknown) => {
        if (error instanceof RequestAborted) return ended?.(request, 'gone')
        next(error)
      },
    )
  }
  return Object.assign(middleware, { on: engine.on })
}

/**
 * The idempotent run that a request belongs to: its attempt and fence, phases, derived keys, the transaction of a
 * transactional store, and `release()` for a handler that knows that nothing happened. `undefined` where the request came without a key, or its route is not protected.
 */
export function idempotentRun(request: IncomingMessage): IdempotentRun | undefined {
  return runs.get(request)
}

function toIncoming<Request extends IncomingMessage, Native>(request: Request, reading: NodeRequestReading<Request, Native>): Incoming<Native> {
  return {
    method: request.method ?? 'GET',
    target: reading.target(request),
    route: reading.route(request),
    field: (name) => request.headersDistinct[name] ?? [],
    body: (limit) => readRawBody(request, limit),
    requestId: requestIdentityOf(request)?.id ?? getRequestId(),
    native: reading.native === undefined ? (request as unknown as Native) : reading.native(request),
  }
}
