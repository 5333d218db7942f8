import { Readable } from 'node:stream'
import type { ReadableStream } from 'node:stream/web'
import type { PlainResponse } from '@hopwise/core'
import type { FastifyReply, onSendHookHandler, RouteHandlerMethod } from 'fastify'
import { idempotentRun } from './run.js'

/** Sends an answer of the middleware itself as Fastify sends any other, `onSend` hooks included. */
export function answer(reply: FastifyReply, { status, fields, body }: PlainResponse): void {
  reply.code(status)
  // Away first: `header()` adds to cookies that are there.
  for (const [name] of fields) reply.removeHeader(name)
  const values = new Map<string, string[]>()
  for (const [name, value] of fields) values.set(name, [...(values.get(name) ?? []), value])
  for (const [name, all] of values) reply.header(name, all.length === 1 ? all[0] : all)
  if (body.length === 0 || status === 204 || status === 304) reply.send()
  // Fastify gives bytes a content type of its own where they have none, but not a stream.
  else reply.send(reply.hasHeader('content-type') ? Buffer.from(body) : Readable.from([Buffer.from(body)]))
}

/**
 * An `onSend` hook. Fastify cancels a web stream when the client goes away, and then there is no result; a Node stream
 * goes on.
 */
export const sendNodeStreams: onSendHookHandler<unknown> = (_request, reply, payload, done) => {
  const body = payload instanceof Response ? openResponse(reply, payload) : payload
  done(null, isWebStream(body) && !body.locked ? Readable.fromWeb(body) : body)
}

/** Takes status and fields, as Fastify does later. A body that was read already is left to Fastify's error for it. */
function openResponse(reply: FastifyReply, response: Response): unknown {
  if (response.bodyUsed) return response
  reply.code(response.status)
  for (const [name, value] of response.headers) reply.header(name, value)
  return response.body
}

function isWebStream(body: unknown): body is ReadableStream {
  return typeof body === 'object' && body !== null && 'getReader' in body
}

/** Has an async handler that gives nothing be answered also where its client is gone; Fastify answers only those who wait. */
export function answerAlways(handler: RouteHandlerMethod): RouteHandlerMethod {
  return function (request, reply) {
    const given: unknown = handler.call(this, request, reply)
    if (!(given instanceof Promise) || idempotentRun(request) === undefined) return given
    return given.then((payload: unknown) => {
      if (payload === undefined && !reply.sent && !reply.raw.headersSent && request.raw.socket.destroyed) reply.send()
      return payload
    })
  }
}
