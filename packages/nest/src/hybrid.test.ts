import type { AddressInfo } from 'node:net'
import { Controller, Injectable, Module, Post, type CallHandler, type ExecutionContext, type INestApplication, type NestInterceptor } from '@nestjs/common'
import { APP_INTERCEPTOR } from '@nestjs/core'
import { ClientProxyFactory, EventPattern, MessagePattern, Transport, type ClientProxy, type TcpOptions } from '@nestjs/microservices'
import { lastValueFrom, tap, type Observable } from 'rxjs'
import { expect, onTestFinished, test } from 'vitest'
import { HopwiseModule, Idempotent, IdempotentRun, RequestId } from './index.js'
import { createApplication, platforms, start, type Platform } from './testing/application.js'
import { post, twice } from './testing/client.js'
import { testOptions } from './testing/options.js'
import { until } from './testing/until.js'

/** What the application's own interceptor saw: of which kind, and what came out. */
const seen: string[] = []
const events: unknown[] = []

@Injectable()
class Watcher implements NestInterceptor {
  intercept(context: ExecutionContext, next: CallHandler): Observable<unknown> {
    return next.handle().pipe(tap((value: unknown) => seen.push(`${context.getType()} ${JSON.stringify(value)}`)))
  }
}

let runs = 0

@Controller('orders')
@Idempotent()
class OrdersController {
  @Post()
  create() {
    return { run: ++runs }
  }

  @MessagePattern('create')
  @Idempotent()
  message(data: { readonly n: number }) {
    return { n: data.n + 1 }
  }

  @MessagePattern('parameters')
  parameters(@RequestId() id: unknown, @IdempotentRun() run: unknown) {
    return { id: typeof id, run: typeof run }
  }

  @EventPattern('created')
  event(data: unknown) {
    events.push(data)
  }
}

/** The application with a TCP transport beside HTTP, and a client of it. */
async function boot(platform: Platform, inheritAppConfig: boolean): Promise<{ readonly port: number; readonly client: ClientProxy }> {
  @Module({ imports: [HopwiseModule.forRoot(testOptions())], controllers: [OrdersController], providers: [{ provide: APP_INTERCEPTOR, useClass: Watcher }] })
  class RootModule {}
  const app: INestApplication = await createApplication(platform, RootModule)
  const microservice = app.connectMicroservice<TcpOptions>({ transport: Transport.TCP, options: { host: '127.0.0.1', port: 0 } }, { inheritAppConfig })
  await app.startAllMicroservices()
  const port = await start(app)
  const { port: tcp } = microservice.unwrap<{ address(): AddressInfo }>().address()
  const client = ClientProxyFactory.create({ transport: Transport.TCP, options: { host: '127.0.0.1', port: tcp } })
  onTestFinished(() => client.close())
  return { port, client }
}

test.each(platforms.flatMap((platform) => [[platform, false], [platform, true]] as const))(
  'a hybrid application on %s, its global interceptors for messages as well (%s): messages and events pass, requests are protected',
  async (platform, inheritAppConfig) => {
    const { port, client } = await boot(platform, inheritAppConfig)
    seen.length = 0
    events.length = 0
    runs = 0
    // The same message twice is two messages: it has no key.
    for (const n of [1, 1]) expect(await lastValueFrom(client.send('create', { n }))).toEqual({ n: 2 })
    expect(await lastValueFrom(client.send('parameters', {}))).toEqual({ id: 'undefined', run: 'undefined' })
    await lastValueFrom(client.emit('created', { order: 7 }), { defaultValue: undefined })
    await until(() => events.length > 0)
    expect(events).toEqual([{ order: 7 }])
    const ofMessages = seen.filter((one) => one.startsWith('rpc'))
    expect(ofMessages.slice(0, 3)).toEqual(inheritAppConfig ? ['rpc {"n":2}', 'rpc {"n":2}', 'rpc {"id":"undefined","run":"undefined"}'] : [])

    expect(await twice(port, '/orders')).toMatchObject({ status: 201, same: true })
    expect((await post(port, '/orders', { key: '' })).status).toBe(400)
    expect(runs).toBe(1)
    expect(seen.filter((one) => one.startsWith('http'))).toEqual(['http {"run":1}', 'http undefined', 'http undefined'])
  },
)
