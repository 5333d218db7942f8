import { createRequire } from 'node:module'
import { RequestMethod } from '@nestjs/common'
import type { NestIdempotencyOptions } from './idempotency-options.js'

type Decorate = MethodDecorator & ClassDecorator

/** What of @nestjs/swagger is used. */
interface Swagger {
  ApiHeader(options: object): Decorate
  ApiResponse(options: object): Decorate
}

let loaded: Swagger | false | undefined

/** The decorators that document a protected handler or controller, where the application has @nestjs/swagger. */
export function describeInSwagger({ header = 'Idempotency-Key', required = true }: NestIdempotencyOptions): Decorate[] {
  loaded ??= load()
  if (loaded === false) return []
  const { ApiHeader, ApiResponse } = loaded
  const field = ApiHeader({ name: header, required, description: 'A key of 1 to 255 characters, new for each operation and the same on each retry of it.', schema: { type: 'string', minLength: 1, maxLength: 255 } })
  return [field, describeResponses(ApiResponse)]
}

/**
 * Swagger leaves out the response of a success where a handler has responses of its own, and so does its compiler plugin.
 * Ours must not be the reason: it is said here too, unless somebody says it. That is known when all decorators have run.
 */
function describeResponses(ApiResponse: Swagger['ApiResponse']): Decorate {
  return (target: object, name?: string | symbol, descriptor?: PropertyDescriptor): void => {
    const add = (response: object): void => {
      if (name === undefined || descriptor === undefined) ApiResponse(response)(target as never)
      else ApiResponse(response)(target, name, descriptor)
    }
    queueMicrotask(() => {
      const handler = descriptor?.value as object | undefined
      const known = Object.keys((Reflect.getMetadata('swagger/apiResponse', handler ?? target) as object | undefined) ?? {})
      if (handler !== undefined && known.length === 0) add({ status: statusOf(handler), ...inferred(target.constructor, name) })
      for (const { status, description, retryAfter } of refusals) {
        if (known.includes(String(status))) continue
        add({
          status,
          description,
          content: { 'application/problem+json': { schema: problemSchema } },
          ...(retryAfter && { headers: { 'Retry-After': { description: 'Seconds until a retry may help.', schema: { type: 'integer' } } } }),
        })
      }
    })
  }
}

/** What Nest will answer where nothing goes wrong. */
function statusOf(handler: object): number {
  return (Reflect.getMetadata('__httpCode__', handler) as number | undefined) ?? (Reflect.getMetadata('method', handler) === RequestMethod.POST ? 201 : 200)
}

/** What the compiler plugin of Swagger has found out of the handler's types. */
function inferred(controller: { _OPENAPI_METADATA_FACTORY?: () => Record<string | symbol, object> } & object, name: string | symbol | undefined): object {
  const { summary: _summary, deprecated: _deprecated, tags: _tags, ...response } = (name === undefined ? undefined : (controller._OPENAPI_METADATA_FACTORY?.()[name] as Record<string, unknown> | undefined)) ?? {}
  return response
}

const refusals = [
  { status: 400, description: 'The key is missing or is none, or nobody knows who asks.', retryAfter: false },
  { status: 409, description: 'A request with this key is still running, or its outcome is not known.', retryAfter: true },
  { status: 422, description: 'The key was used before for another request.', retryAfter: false },
  { status: 503, description: 'The store of the keys is not available.', retryAfter: true },
]

/** RFC 9457. */
const problemSchema = {
  type: 'object',
  required: ['type', 'title', 'status', 'detail'],
  properties: { type: { type: 'string', format: 'uri' }, title: { type: 'string' }, status: { type: 'integer' }, detail: { type: 'string' } },
}

/** By `require`, since decorators cannot wait. Nobody has to have it: whatever keeps it from loading means that nothing is documented. */
function load(): Swagger | false {
  try {
    return createRequire(import.meta.url)('@nestjs/swagger') as Swagger
  } catch {
    return false
  }
}
