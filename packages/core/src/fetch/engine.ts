import { HopwiseError } from '../errors.js'
import type { PlainResponse } from '../http.js'
import { createIdempotency, NoEffectError, type Idempotency, type IdempotencyOptions } from '../idempotency/index.js'
import { getContext, getRequestId, runInContext } from '../request-id/index.js'
import { captureResponse } from './capture.js'
import { readBody } from './request-body.js'
import { toResponse } from './reply.js'
import { idempotentRun, rememberRun, type IdempotentRun } from './runs.js'

/** Runs the rest of a request; `run` is absent where the request is not protected. `request` has an unread body. */
export type Handle = (request: Request, run: IdempotentRun | undefined) => Response | Promise<Response>

/** One request on its way to its handler. */
export interface Exchange<Native> {
  readonly request: Request
  /** The framework's own request, for `principal`. */
  readonly native: Native
  /** The pattern of the matched route, else the path. */
  readonly route: string
  /** [from the context] */
  readonly requestId?: string | undefined
  /** The bytes of a body that was read already, where somebody kept them. */
  readonly body?: Uint8Array<ArrayBuffer> | undefined
  /** Fields that earlier middleware has set: they stay on an answer that takes the handler's place. */
  readonly earlier?: Headers | undefined
  /** Keeps the runtime awake until a promise is settled, where it has to be asked. */
  readonly waitUntil?: ((promise: Promise<unknown>) => void) | undefined
  readonly handle: Handle
}

/** The idempotency engine for everything that speaks `Request` and `Response`: what adapters are made of. */
export interface FetchEngine<Native> extends Pick<Idempotency<Native>, 'on'> {
  /**
   * Answers a request: by its handler, whose response is kept, or in its place.
   * @throws HopwiseError `body-already-read`, `mounted-twice`; whatever `principal`, `onCrash` or the handler throws. What
   * the handler throws is an outcome: it is kept as a 500 without a body, since nobody knows what it will be answered with
   */
  serve(exchange: Exchange<Native>): Promise<Response>
}

/**
 * Makes the engine for one set of options.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function createFetchEngine<Native>(options: IdempotencyOptions<Native>): FetchEngine<Native> {
  const engine = createIdempotency<Native>(options)

  async function serve(exchange: Exchange<Native>): Promise<Response> {
    const earlier = idempotentRun(exchange.request)
    if (earlier) {
      earlier.release()
      throw new HopwiseError('mounted-twice', 'mount idempotency once')
    }
    let finish = (): void => {}
    // From before the claim on: workerd drops a request whose client goes away meanwhile, and the key would stay in progress.
    exchange.waitUntil?.(new Promise<void>((resolve) => {
      finish = resolve
    }))
    try {
      return await serveAwake(exchange, finish)
    } catch (error) {
      finish()
      throw error
    }
  }

  /** `finish` is called once there is nothing more to do, but where this throws. */
  async function serveAwake(exchange: Exchange<Native>, finish: () => void): Promise<Response> {
    const { request, native, route } = exchange
    let handed = request
    const { pathname, search } = new URL(request.url)
    const decision = await engine.begin({
      method: request.method,
      target: pathname + search,
      route,
      field: (name) => valuesOf(request.headers, name),
      body: async (limit) => {
        const bytes = exchange.body ?? (await readBody(request, limit))
        if (!bytes || bytes.length > limit) return 'too-large'
        // Of the same class, so that a framework's own request stays one.
        if (!exchange.body && request.body) handed = new (request.constructor as typeof Request)(request, { body: bytes })
        return bytes
      },
      requestId: exchange.requestId ?? getRequestId(),
      native,
    })
    const reply = (response: PlainResponse) => toResponse(response, request, exchange.earlier)
    if (decision.kind !== 'run') finish()
    if (decision.kind === 'pass') return exchange.handle(handed, undefined)
    if (decision.kind === 'reply') return reply(decision.response)

    const { ticket } = decision
    rememberRun(ticket, request, handed)
    try {
      const response = await runInContext({ ...getContext(), run: ticket }, () => exchange.handle(handed, ticket))
      return await captureResponse(response, ticket, request.method === 'HEAD', reply, finish)
    } catch (error) {
      // On a runtime without AsyncLocalStorage the error could not find its run.
      if (error instanceof NoEffectError) ticket.release()
      await ticket.settle({ status: 500, fields: [], body: null })
      throw error
    }
  }

  return { serve, on: engine.on }
}

/** All values of a field. Several are one list here (Fetch standard), which is as little a key or an id as they are. */
export function valuesOf(headers: Headers, name: string): readonly string[] {
  const value = headers.get(name)
  return value === null ? [] : [value]
}
