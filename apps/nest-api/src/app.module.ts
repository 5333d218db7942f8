import { createTraceContext, logBindings } from '@hopwise/core'
import { HopHost, HopwiseModule } from '@hopwise/nest'
import { Logger, Module, RequestMethod, type DynamicModule, type OnApplicationBootstrap } from '@nestjs/common'
import { ConfigModule, type ConfigType } from '@nestjs/config'
import { APP_FILTER } from '@nestjs/core'
import { LoggerModule } from 'nestjs-pino'
import { apiConfig } from './api.config.js'
import type { LoggerName } from './arguments.js'
import type { AuthenticatedRequest } from './auth/auth.guard.js'
import { DatabaseModule } from './database/database.module.js'
import { OrdersDatabase } from './database/orders.database.js'
import { HealthModule } from './health/health.module.js'
import { OrdersModule } from './orders/orders.module.js'
import { ProblemFilter } from './problem.filter.js'

@Module({
  imports: [
    ConfigModule.forRoot({ isGlobal: true, load: [apiConfig] }),
    HopwiseModule.forRootAsync({
      imports: [DatabaseModule],
      inject: [OrdersDatabase, apiConfig.KEY],
      useFactory: (database: OrdersDatabase, { drainDeadline }: ConfigType<typeof apiConfig>) => ({
        policy: { chain: ['nginx'], drain: { deadline: drainDeadline } },
        requestId: { trace: createTraceContext() },
        idempotency: { store: database.store, principal: (request: AuthenticatedRequest) => request.user.id },
        // For whoever must not wait for guards and filters: /readyz and /livez.
        health: true,
      }),
    }),
    OrdersModule,
    HealthModule,
  ],
  providers: [{ provide: APP_FILTER, useClass: ProblemFilter }],
})
export class AppModule implements OnApplicationBootstrap {
  readonly #logger = new Logger('Drain')

  constructor(private readonly host: HopHost) {}

  /** The same application, with what its lines are written with. */
  static with(logger: LoggerName): DynamicModule {
    return { module: AppModule, imports: logger === 'pino' ? [pino] : [] }
  }

  onApplicationBootstrap(): void {
    this.host.hop?.on('phase', ({ phase }) => this.#logger.log(phase))
  }
}

const pino = LoggerModule.forRoot({
  pinoHttp: { mixin: () => logBindings(), redact: ['req.headers.authorization', 'req.headers.cookie'] },
  // On Fastify its own default is for no route.
  forRoutes: [{ path: '*splat', method: RequestMethod.ALL }],
})
