import type { ExecutionContext } from '@nestjs/common'
import type { PlatformRequest } from './platform.js'

/** Where Nest keeps what `@Version()` and the controller's `version` say. */
const VERSION_METADATA = '__version__'

/**
 * The pattern of the matched route, and the version of its handler where it has one: by header or media type, two
 * handlers have one pattern.
 */
export function routeOf(context: ExecutionContext, request: PlatformRequest): string {
  const path = request.routeOptions?.url ?? (request.baseUrl ?? '') + String(request.route?.path ?? request.originalUrl.split('?')[0])
  const version: unknown = Reflect.getMetadata(VERSION_METADATA, context.getHandler()) ?? Reflect.getMetadata(VERSION_METADATA, context.getClass())
  if (version === undefined) return path
  return `${path} version ${[version].flat().map(String).join(',')}`
}
