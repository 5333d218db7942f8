import { functionField, parseOptions } from '../options.js'
import type { Idempotency, IdempotencyOptions } from '../idempotency/index.js'
import { createFetchEngine } from './engine.js'
import type { FetchHandler } from './request-id.js'
import { passIdentityOn, requestIdentityOf } from './request-identity.js'

/** The options of {@link idempotent}: those of the engine, and what a plain handler's platform has besides. */
export interface FetchIdempotencyOptions<Rest extends readonly unknown[]> extends IdempotencyOptions<Request> {
  /** The pattern of the route, where a router knows it: one key on two routes is two keys. [the path] */
  readonly route?: (request: Request, ...rest: Rest) => string
  /**
   * Where the platform ends what runs beyond a response or a client that goes away (Workers, Vercel): how to ask it to
   * wait. Gets what the handler gets. [none: the platform lets it run, as Node, Bun and Deno do]
   */
  readonly waitUntil?: (request: Request, ...rest: Rest) => ((promise: Promise<unknown>) => void) | undefined
}

/** Protects handlers with one set of options, and has the engine's events. */
export interface Protect<Rest extends readonly unknown[]> extends Pick<Idempotency<Request>, 'on'> {
  (handler: FetchHandler<Rest>): (request: Request, ...rest: Rest) => Promise<Response>
}

/**
 * Protects handlers by Idempotency-Key: a retry gets the first answer, byte for byte, and the handler runs once.
 *
 * What a handler throws is thrown on, and kept as a 500 without a body. Make a response of your errors inside: then that
 * is kept.
 * @throws HopwiseError `option-unknown`, `option-invalid`; from the protected handler `body-already-read`, `mounted-twice`
 * @example const protect = idempotent({ store, principal: (request) => accountOf(request) })
 * export const POST = protect(async (request) => Response.json(await order(await request.json()), { status: 201 }))
 */
export function idempotent<Rest extends readonly unknown[] = []>(options: FetchIdempotencyOptions<Rest>): Protect<Rest> {
  const { route, waitUntil, ...rest } = options ?? {}
  const own = parseOptions('idempotent', { ...(route !== undefined && { route }), ...(waitUntil !== undefined && { waitUntil }) }, {
    route: functionField<NonNullable<FetchIdempotencyOptions<Rest>['route']>>('a function that gives the pattern of the route'),
    waitUntil: functionField<NonNullable<FetchIdempotencyOptions<Rest>['waitUntil']>>('a function that gives the platform\'s waitUntil'),
  })
  const engine = createFetchEngine<Request>(rest)
  const protect = (handler: FetchHandler<Rest>) => (request: Request, ...more: Rest): Promise<Response> =>
    engine.serve({
      request,
      native: request,
      route: own.route?.(request, ...more) ?? new URL(request.url).pathname,
      waitUntil: own.waitUntil?.(request, ...more),
      requestId: requestIdentityOf(request)?.id,
      handle: (handed) => {
        passIdentityOn(request, handed)
        return handler(handed, ...more)
      },
    })
  return Object.assign(protect, { on: engine.on })
}
