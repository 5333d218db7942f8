import { NoEffectError, type Idempotency, type IdempotencyOptions } from '@hopwise/core/idempotency'
import { createFetchEngine, type IdempotentRun } from '@hopwise/core/fetch'
import type { Context, Env, MiddlewareHandler } from 'hono'
import type { BlankEnv } from 'hono/types'
import { matchedRoutes } from 'hono/route'
import { bytesReadBefore } from './body-cache.js'

/** What {@link idempotent} puts into the context. */
export interface IdempotentVariables {
  /** The handler's run; absent where the request came without a key, or its method is not protected. */
  readonly idempotent: IdempotentRun | undefined
}

type Protected<E extends Env> = E & { Variables: IdempotentVariables }

/** The idempotency engine as middleware, with the engine's events. */
export type IdempotentMiddleware<E extends Env> = MiddlewareHandler<Protected<E>> & Pick<Idempotency<Context<E>>, 'on'>

/**
 * Protects a route by Idempotency-Key: a retry gets the first answer, byte for byte, and the handler runs once. Where the
 * runtime has a `waitUntil`, it is asked to let the handler run on when the client has gone.
 * @throws HopwiseError `option-unknown`, `option-invalid`; to `app.onError` `body-already-read`, `mounted-twice`
 * @example app.post('/orders', idempotent<AppEnv>({ store, principal: (c) => c.get('user').id }), (c) => c.json(…))
 */
export function idempotent<E extends Env = BlankEnv>(options: IdempotencyOptions<Context<E>>): IdempotentMiddleware<E> {
  const engine = createFetchEngine<Context<E>>(options)
  const middleware: MiddlewareHandler<{ Variables: IdempotentVariables & { requestId?: string } }> = async (c, next) => {
    const response = await engine.serve({
      request: c.req.raw,
      native: c as unknown as Context<E>,
      route: routeOf(c),
      requestId: c.get('requestId'),
      body: await bytesReadBefore(c.req),
      earlier: new Headers(c.newResponse(null).headers),
      waitUntil: waitUntilOf(c),
      handle: async (request, run) => {
        c.req.raw = request
        c.set('idempotent', run)
        await next()
        // Hono has made a response of the error; where there is no AsyncLocalStorage, the error could not find its run.
        if (c.error instanceof NoEffectError) run?.release()
        return c.res
      },
    })
    if (response === c.res) return
    // Set over another one, it would get that one's fields.
    c.res = undefined
    c.res = response
  }
  return Object.assign(middleware as unknown as MiddlewareHandler<Protected<E>>, { on: engine.on })
}

/** The handler's pattern, also where the middleware is mounted by `use`; the path where there is none. */
function routeOf(c: Context): string {
  return matchedRoutes(c).findLast(({ method }) => method !== 'ALL')?.path ?? c.req.path
}

function waitUntilOf(c: Context): ((promise: Promise<unknown>) => void) | undefined {
  try {
    const { executionCtx } = c
    return (promise) => executionCtx.waitUntil(promise)
  } catch {
    // Hono throws where the runtime gives none: it lets a handler run on without being asked.
  }
}
