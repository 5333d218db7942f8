import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { rawConnect, rawRequest, requestText } from '@hopwise/testkit/adapter'
import { Controller, Get, Global, Inject, Injectable, Module, Req, Sse, type DynamicModule } from '@nestjs/common'
import { fromEvent, interval, map, takeUntil } from 'rxjs'
import { describe, expect, onTestFinished, test } from 'vitest'
import { HopHost, HopwiseModule, type HopwiseModuleOptions, type NestRequest } from './index.js'
import { createApplication, platforms, start } from './testing/application.js'

const slow = requestText('GET', '/slow', {})

/** Starts the child; gives its port, and what it tells, one step after the other. */
async function startChild(platform: string) {
  const hooks = process.env['NEST'] === '11' ? ['--import', new URL('testing/nest11-hooks.mjs', import.meta.url).href] : []
  const child = fork(fileURLToPath(new URL('testing/application-child.mjs', import.meta.url)), [platform], { execArgv: hooks })
  onTestFinished(() => void child.kill('SIGKILL'))
  const steps: unknown[] = []
  const waiting = new Set<() => void>()
  child.on('message', (step) => {
    steps.push(step)
    for (const check of waiting) check()
  })
  const told = (step: unknown) =>
    new Promise<void>((resolve) => {
      const check = (): void => {
        if (!steps.includes(step)) return
        waiting.delete(check)
        resolve()
      }
      waiting.add(check)
      check()
    })
  const [port] = (await once(child, 'message')) as [number]
  return { child, port, steps, told }
}

describe.each(platforms)('%s', (platform) => {
  test('SIGTERM: the drain is over before onModuleDestroy, what ran was served, and the process ends by the signal', async () => {
    const { child, port, steps, told } = await startChild(platform)
    const connection = await rawConnect(port)
    connection.write(slow)
    await told('running')
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await told('draining')
    child.send('open')
    const response = await connection.response()
    expect([response.status, response.field('connection'), response.body.toString()]).toEqual([200, 'close', '{"served":true}'])
    connection.destroy()
    expect(await ended).toEqual([null, 'SIGTERM'])
    expect(steps.slice(1)).toEqual(['running', 'announcing', 'draining', 'closed', 'drained, 0 cut', 'onModuleDestroy', 'onApplicationShutdown SIGTERM'])
  })

  test('a second signal cuts what is left, and the hooks are called all the same', async () => {
    const { child, port, steps, told } = await startChild(platform)
    const connection = await rawConnect(port)
    connection.write(slow)
    await told('running')
    const ended = once(child, 'exit')
    child.kill('SIGTERM')
    await told('draining')
    child.kill('SIGTERM')
    await connection.closed()
    expect(await ended).toEqual([null, 'SIGTERM'])
    expect(steps.slice(-3)).toEqual(['drained, 1 cut', 'onModuleDestroy', 'onApplicationShutdown SIGTERM'])
  })

  test.each(['global', 'not global'])('app.close(), the module %s: drained before any hook of any module; no 503 meanwhile', async (how) => {
    const steps: string[] = []
    let begun = (): void => {}
    const running = new Promise<void>((resolve) => {
      begun = resolve
    })
    let open = (): void => {}
    const opened = new Promise<void>((resolve) => {
      open = resolve
    })
    @Controller('slow')
    class SlowController {
      @Get()
      async slow() {
        begun()
        await opened
        return 'served'
      }

      @Get('quick')
      quick() {
        return 'quick'
      }

      onModuleDestroy(): void {
        steps.push('destroy controller')
      }
    }
    @Injectable()
    class Database {
      onModuleDestroy(): void {
        steps.push('destroy database')
      }

      beforeApplicationShutdown(): void {
        steps.push('before shutdown')
      }
    }
    @Global()
    @Module({ providers: [Database], exports: [Database] })
    class DatabaseModule {}
    const options: HopwiseModuleOptions = { policy: { drain: { deadline: '20s' } } }
    const hopwise: DynamicModule = how === 'global' ? HopwiseModule.forRoot(options) : HopwiseModule.forRoot({ ...options, isGlobal: false })
    @Module({ imports: [DatabaseModule, hopwise], controllers: [SlowController] })
    class RootModule {}

    const app = await createApplication(platform, RootModule, { forceCloseConnections: true, return503OnClosing: true })
    const port = await start(app)
    const { hop } = app.get(HopHost)
    const [busy, idle] = [await rawConnect(port), await rawConnect(port)]
    idle.write(requestText('GET', '/slow/quick', {}))
    await idle.response()
    busy.write(slow)
    await running
    const draining = new Promise<void>((resolve) => {
      hop?.on('phase', ({ phase }) => {
        steps.push(phase)
        if (phase === 'draining') resolve()
      })
    })
    const closed = app.close()
    await draining
    idle.write(requestText('GET', '/slow/quick', {}))
    const late = await idle.response()
    expect([late.status, late.field('connection')]).toEqual([200, 'close'])
    expect(app.get(HopHost).ready).toBe(false)
    open()
    expect((await busy.response()).body.toString()).toBe('served')
    busy.destroy()
    idle.destroy()
    await closed
    expect(steps).toEqual(['announcing', 'draining', 'closed', 'destroy controller', 'destroy database', 'before shutdown'])
    await expect(rawRequest(port, slow)).rejects.toThrow('ECONNREFUSED')
  })

  test('an event stream is told to end, and cut by nobody', async () => {
    @Controller('ticks')
    class TicksController {
      readonly #host: HopHost

      constructor(@Inject(HopHost) host: HopHost) {
        this.#host = host
      }

      @Sse()
      ticks(@Req() request: NestRequest) {
        return interval(10).pipe(map((n) => ({ data: String(n) })), takeUntil(fromEvent(this.#host.drainSignal(request), 'abort')))
      }
    }
    @Module({ imports: [HopwiseModule.forRoot({ policy: { drain: { deadline: '20s', streamSpread: 0 } } })], controllers: [TicksController] })
    class RootModule {}
    const app = await createApplication(platform, RootModule)
    const port = await start(app)
    const connection = await rawConnect(port)
    connection.write(requestText('GET', '/ticks', {}))
    await connection.bytes(400)
    const reported = new Promise((resolve) => app.get(HopHost).hop?.on('drained', ({ farewells, closed }) => resolve([farewells, closed.forced])))
    const closed = app.close()
    expect((await connection.response()).body.toString()).toContain('data: 1\n')
    connection.destroy()
    await closed
    expect(await reported).toEqual([1, 0])
  })

  test('an application that never listened closes at once', async () => {
    @Module({ imports: [HopwiseModule.forRoot({ policy: { chain: ['alb'] } })] })
    class RootModule {}
    const app = await createApplication(platform, RootModule)
    await app.init()
    const { hop } = app.get(HopHost)
    await app.close()
    expect(hop?.phase).toBe('closed')
  })
})
