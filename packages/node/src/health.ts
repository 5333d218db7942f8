import { createHealth, type HealthAnswer, type HealthOptions } from '@hopwise/core'

/** What is read of a request of `node:http`, `node:http2` or a framework on them. */
export interface HealthRequest {
  readonly method?: string | undefined
  readonly url?: string | undefined
}

/** What is used of its response. */
export interface HealthResponse {
  statusCode: number
  readonly headersSent: boolean
  setHeader(name: string, value: string | number): unknown
  end(): unknown
  end(body: string): unknown
}

/** A middleware, or a whole request listener: where there is no `next`, other paths are answered with 404. */
export type HealthHandler = (request: HealthRequest, response: HealthResponse, next?: (error?: unknown) => void) => void

/**
 * The health checks of core's `createHealth` as a request listener or middleware. Put it first, where no middleware asks
 * for authentication, and no limiter counts.
 * @throws HopwiseError `option-unknown`, `option-invalid`; also where both have one path
 */
export function healthHandler(state: { readonly ready: boolean }, options?: HealthOptions): HealthHandler {
  const health = createHealth(state, options)
  return (request, response, next) => {
    const answer = health(request.method, request.url)
    if (answer instanceof Promise) void answer.then((later) => write(request, response, later))
    else if (answer !== undefined) write(request, response, answer)
    else if (next !== undefined) next()
    else {
      response.statusCode = 404
      response.end()
    }
  }
}

function write({ method }: HealthRequest, response: HealthResponse, { status, fields, body }: HealthAnswer): void {
  // Somebody who lost patience, such as a time limit for all requests, may have answered meanwhile.
  if (response.headersSent) return
  response.statusCode = status
  for (const [name, value] of fields) response.setHeader(name, value)
  response.setHeader('content-length', body.length)
  if (method === 'HEAD' || body === '') response.end()
  else response.end(body)
}
