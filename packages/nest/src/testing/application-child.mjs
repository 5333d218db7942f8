// A Nest application of its own process: `application-child.mjs PLATFORM`. Decorators are called as functions, since
// nobody compiles this. Tells its port, when a handler runs, and each step of its shutdown.
import { Controller, Get, Module } from '@nestjs/common'
import { NestFactory } from '@nestjs/core'
import { FastifyAdapter } from '@nestjs/platform-fastify'
import { HopHost, HopwiseModule } from '@hopwise/nest'

const tell = (step) => process.send(step)
let open = () => {}
const opened = new Promise((resolve) => (open = resolve))
process.on('message', open)

class Slow {
  async get() {
    tell('running')
    await opened
    return { served: true }
  }
}
Controller('slow')(Slow)
Get()(Slow.prototype, 'get', Object.getOwnPropertyDescriptor(Slow.prototype, 'get'))

class Database {
  onModuleDestroy() {
    tell('onModuleDestroy')
  }
  onApplicationShutdown(signal) {
    tell(`onApplicationShutdown ${signal}`)
  }
}
class Root {}
Module({ imports: [HopwiseModule.forRoot({ policy: { drain: { deadline: '20s' } } })], controllers: [Slow], providers: [Database] })(Root)

const options = { logger: false, forceCloseConnections: true, return503OnClosing: true }
const app = await (process.argv[2] === 'fastify' ? NestFactory.create(Root, new FastifyAdapter(), options) : NestFactory.create(Root, options))
app.enableShutdownHooks()
await app.listen(0, '127.0.0.1')
const { hop } = app.get(HopHost)
hop.on('phase', ({ phase }) => tell(phase))
hop.on('drained', ({ closed }) => tell(`drained, ${closed.forced} cut`))
tell(app.getHttpServer().address().port)
