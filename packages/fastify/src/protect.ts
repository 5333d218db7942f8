import type { IncomingMessage } from 'node:http'
import type { Idempotency, IdempotencyOptions } from '@hopwise/core'
import { createIdempotentMiddleware } from '@hopwise/node'
import type { FastifyReply, FastifyRequest, preParsingHookHandler } from 'fastify'
import { answer } from './answer.js'

/** The engine as a `preParsing` hook, with its events. */
export interface Protection {
  readonly hook: preParsingHookHandler
  readonly on: Idempotency<FastifyRequest>['on']
}

/**
 * Makes the hook that protects a route: before the body is parsed, so that its raw bytes are there, and they are given
 * back for the parser.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function protect(options: IdempotencyOptions<FastifyRequest>): Protection {
  const exchanges = new WeakMap<IncomingMessage, { readonly request: FastifyRequest; readonly reply: FastifyReply }>()
  const exchangeOf = (raw: IncomingMessage) => exchanges.get(raw) as { request: FastifyRequest; reply: FastifyReply }
  const middleware = createIdempotentMiddleware<IncomingMessage, FastifyRequest>(options, {
    native: (raw) => exchangeOf(raw).request,
    target: (raw) => exchangeOf(raw).request.originalUrl,
    // The pattern with the prefixes of its scopes; a 404 has none.
    route: (raw) => routeOf(exchangeOf(raw).request),
    reply: (raw, _response, given) => answer(exchangeOf(raw).reply, given),
  })

  const hook: preParsingHookHandler = (request, reply, payload, done) => {
    exchanges.set(request.raw, { request, reply })
    showEarlierFields(reply)
    middleware(request.raw, reply.raw, (error) => {
      if (error !== undefined) return done(error as Error)
      done(null, payload)
    })
  }
  return { hook, on: middleware.on }
}

/** Fields that earlier hooks have set are Fastify's own until it writes; an answer that takes another's place keeps them. */
function showEarlierFields(reply: FastifyReply): void {
  for (const [name, value] of Object.entries(reply.getHeaders())) if (value !== undefined) reply.raw.setHeader(name, value)
}

function routeOf({ routeOptions, originalUrl }: FastifyRequest): string {
  return routeOptions.url ?? originalUrl.split('?', 1)[0] ?? ''
}
