import { HopHealthIndicator } from '@hopwise/nest'
import { Controller, Get, UseFilters, VERSION_NEUTRAL } from '@nestjs/common'
import { BaseExceptionFilter } from '@nestjs/core'
import { HealthCheck, HealthCheckService } from '@nestjs/terminus'

/** Readiness, with whatever else there is to check: 503 from the first moment of a drain. */
@Controller({ path: 'health', version: VERSION_NEUTRAL })
// The report of terminus goes out as it is.
@UseFilters(BaseExceptionFilter)
export class HealthController {
  constructor(
    private readonly health: HealthCheckService,
    private readonly hopwise: HopHealthIndicator,
  ) {}

  @Get()
  @HealthCheck()
  check() {
    return this.health.check([() => this.hopwise.isReady()])
  }
}
