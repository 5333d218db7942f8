import type { IncomingMessage } from 'node:http'
import type { Idempotency, IdempotencyOptions, PlainResponse } from '@hopwise/core'
import { createIdempotentMiddleware, idempotentRun, keepRawBody, RequestAborted } from '@hopwise/node'
import type { Context, Next } from 'koa'
import { outliveClient } from './outlive-client.js'

/** The idempotency engine as Koa middleware, with the engine's events. */
export type KoaIdempotentMiddleware = ((context: Context, next: Next) => Promise<void>) & Pick<Idempotency<Context>, 'on'>

/**
 * Protects a route by Idempotency-Key: a retry gets the first answer, byte for byte, and the handler runs once. Kept is
 * what Koa writes in the end, whoever has set it: the handler, middleware outside of this one, or Koa's error path.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 * @example router.post('/orders', idempotent({ store, principal: (ctx) => ctx.state.user.id }), createOrder)
 */
export function idempotent(options: IdempotencyOptions<Context>): KoaIdempotentMiddleware {
  const contexts = new WeakMap<IncomingMessage, { readonly context: Context; readonly answered: () => void }>()
  const contextOf = (request: IncomingMessage): Context => (contexts.get(request) as { context: Context }).context
  const protect = createIdempotentMiddleware<IncomingMessage, Context>(options, {
    native: contextOf,
    target: (request) => contextOf(request).originalUrl,
    route: (request) => routeOf(contextOf(request)),
    reply: (request, _response, given) => {
      answer(contextOf(request), given)
      contexts.get(request)?.answered()
    },
  })

  const middleware = (context: Context, next: Next): Promise<void> =>
    new Promise((resolve, reject) => {
      const { req, res } = context
      contexts.set(req, { context, answered: resolve })
      showRawBody(context)
      // Nothing is decided of a request that broke off; middleware outside of this one is not to wait for it.
      const gone = (): void => {
        if (!req.complete) reject(Object.assign(new RequestAborted(), { status: 400, expose: true }))
      }
      res.once('close', gone)
      protect(req, res, (error) => {
        res.off('close', gone)
        if (error !== undefined) return reject(error as Error)
        if (idempotentRun(req) !== undefined) outliveClient(context)
        next().then(resolve, reject)
      })
    })
  return Object.assign(middleware, { on: protect.on })
}

/** Where @koa/router keeps what it matched. */
interface Routed {
  readonly matched?: readonly { readonly path: string | RegExp; readonly methods: readonly string[] }[]
}

/** The pattern of the matched route below what the app is mounted at (koa-mount), else the path. */
function routeOf(context: Context & Routed): string {
  const path = context.originalUrl.split('?', 1)[0] ?? ''
  const pattern = context.matched?.findLast(({ methods }) => methods.includes(context.method))?.path
  if (pattern === undefined) return path
  return (path.endsWith(context.path) ? path.slice(0, path.length - context.path.length) : '') + String(pattern)
}

/** Koa's body parsers keep what they read in `ctx.request`: the text in `rawBody`, or bytes as the body itself. */
function showRawBody({ req, request }: Context): void {
  const { rawBody, body } = request as { readonly rawBody?: unknown; readonly body?: unknown }
  const kept = rawBody ?? body
  if (kept instanceof Uint8Array) keepRawBody(req, undefined, kept)
  else if (typeof rawBody === 'string') keepRawBody(req, undefined, Buffer.from(rawBody))
}

/** Hands an answer of the middleware itself to Koa, so that middleware outside of it sees it like others. */
function answer(context: Context, { status, fields, body }: PlainResponse): void {
  context.status = status
  for (const [name] of fields) context.remove(name)
  for (const [name, value] of fields) context.append(name, value)
  const typed = context.res.hasHeader('content-type')
  context.body = status === 204 || status === 304 ? null : Buffer.from(body)
  if (!typed) context.remove('content-type')
}
