import { createHealth, type HealthAnswer, type HealthOptions } from '@hopwise/core/health'
import type { Context, MiddlewareHandler } from 'hono'

/** What {@link policy} asks of a hop: what `attach` gives, on any runtime. */
export interface PolicyHop {
  readonly ready: boolean
  /** Whether answers are to say `Connection: close`. A hop on Node has no such thing: it says so itself. */
  readonly closing?: boolean
}

/**
 * What a middleware can do for a hop: answers health checks, `/readyz` and `/livez`, and tells the hop in front to let go
 * of its connections while the server drains. Mount it first. Takes a function, since the server is made of the app:
 * until it gives a hop, and on Workers, which have none, the service is ready and nothing is closed.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 * @example app.use(policy(() => hop))
 */
export function policy(hop: () => PolicyHop | undefined, health?: HealthOptions): MiddlewareHandler {
  const state = {
    get ready() {
      return hop()?.ready ?? true
    },
  }
  const answerTo = createHealth(state, health)
  return async (c, next) => {
    const answer = await answerTo(c.req.method, c.req.path)
    if (answer === undefined) await next()
    else c.res = toResponse(c, answer)
    // A switch of protocols is the runtime's.
    if (hop()?.closing === true && c.res.status >= 200) c.header('connection', 'close')
  }
}

function toResponse(c: Context, { status, fields, body }: HealthAnswer): Response {
  return new Response(c.req.method === 'HEAD' || body === '' ? null : body, { status, headers: fields.map(([name, value]) => [name, value]) })
}
