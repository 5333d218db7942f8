import type { IncomingHttpHeaders, IncomingMessage, ServerResponse } from 'node:http'
import type { ArgumentsHost } from '@nestjs/common'

/** The framework's request: Express' own, or Fastify's. Say the type that you know it by where you take it. */
export interface NestRequest {
  readonly method: string
  readonly url: string
  readonly headers: IncomingHttpHeaders
  /** What a guard or a strategy of passport has established. */
  readonly user?: unknown
}

/** What of a platform's request is read here; `raw` is Fastify's, the rest of Express is the native request itself. */
export interface PlatformRequest extends NestRequest {
  readonly raw?: IncomingMessage
  readonly rawBody?: unknown
  readonly originalUrl: string
  readonly baseUrl?: string
  readonly route?: { readonly path?: unknown }
  readonly routeOptions?: { readonly url?: string }
}

/** What of Fastify's reply is used here. */
interface FastifyReplyLike {
  readonly raw: ServerResponse
  getHeaders(): Record<string, number | string | string[] | undefined>
  send(payload?: unknown): unknown
}

/** One HTTP exchange, as the platform has it and as Node has it. */
export interface Exchange {
  readonly request: PlatformRequest
  readonly native: IncomingMessage
  readonly response: ServerResponse
  /** On Fastify. */
  readonly reply: FastifyReplyLike | undefined
}

/** Node's request of a platform's. */
export function nativeOf(request: PlatformRequest): IncomingMessage {
  return request.raw ?? (request as unknown as IncomingMessage)
}

/** Takes an HTTP exchange out of Nest's arguments. */
export function exchangeOf(host: ArgumentsHost): Exchange {
  const http = host.switchToHttp()
  const request = http.getRequest<PlatformRequest>()
  const response = http.getResponse<ServerResponse | FastifyReplyLike>()
  const native = nativeOf(request)
  if ('raw' in response) return { request, native, response: response.raw, reply: response }
  return { request, native, response, reply: undefined }
}
