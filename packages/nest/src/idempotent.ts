import { applyDecorators, SetMetadata, UseInterceptors } from '@nestjs/common'
import { IDEMPOTENT_METADATA } from './idempotency-engines.js'
import { IdempotencyInterceptor } from './idempotency-interceptor.js'
import type { NestIdempotencyOptions } from './idempotency-options.js'
import { describeInSwagger } from './swagger.js'

const noOptions: NestIdempotencyOptions = {}

/**
 * Protects a handler, or every handler of a controller, by Idempotency-Key: a retry gets the first answer, byte for byte,
 * and the handler runs once. Options are put over those of the controller, and these over those of the module. On a
 * handler, write it below other interceptors that read the request's body, such as those of file uploads.
 * @throws HopwiseError when the application starts: `option-unknown`, `option-invalid`. Without the module, Nest says
 * that it can't resolve the dependency IdempotencyEngines
 * @example
 * \@Post() \@Idempotent({ principal: (request: AuthenticatedRequest) => request.user.id }) create(\@Body() order: OrderDto) { … }
 */
export function Idempotent(options: NestIdempotencyOptions = noOptions): MethodDecorator & ClassDecorator {
  return applyDecorators(SetMetadata(IDEMPOTENT_METADATA, options), UseInterceptors(IdempotencyInterceptor), ...describeInSwagger(options))
}
