import { Module } from '@nestjs/common'
import { DiscoveryModule } from '@nestjs/core'
import { HopHealthIndicator } from './health-indicator.js'
import { HopHost } from './hop-host.js'
import { IdempotencyEngines } from './idempotency-engines.js'
import { ConfigurableModuleClass } from './module-options.js'

/**
 * Hopwise in a Nest application: the server's timeouts and drain, request ids, and what `@Idempotent()` needs. To be
 * imported once, by the root module.
 * @throws HopwiseError when the application starts: `option-unknown`, `option-invalid`, `mounted-twice`
 * @example HopwiseModule.forRoot({ policy: { chain: ['alb'] }, idempotency: { store, principal: (request) => request.user.id } })
 */
@Module({
  imports: [DiscoveryModule],
  providers: [HopHost, IdempotencyEngines, HopHealthIndicator],
  exports: [HopHost, IdempotencyEngines, HopHealthIndicator],
})
export class HopwiseModule extends ConfigurableModuleClass {}
