import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { buffer } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { Router } from '@koa/router'
import { getRequestId } from '@hopwise/core'
import { adapterContract, bootServer, fieldsByName, installed, testAdapterContract, type AdapterSetup, type ContractRoute, type RouteOutput } from '@hopwise/testkit/adapter'
import Koa, { type Context, type Middleware } from 'koa'
import { describe, expect, test } from 'vitest'
import { attach, idempotent, idempotentRun, requestId } from './index.js'

type StreamKind = 'Node' | 'web' | 'Response'

/** Each kind of answer by the means that Koa users have for it. */
function write(context: Context, output: RouteOutput, streams: StreamKind): void {
  if (output.kind === 'throw') throw new Error(output.message)
  if (output.kind === 'json') {
    // Else no value at all (null) is no answer to Koa, but 204.
    context.type = 'json'
    context.body = output.value
  } else if (output.kind === 'bytes') context.body = Buffer.from(output.bytes)
  else if (output.kind === 'empty') context.body = null
  else if (streams === 'Node') context.body = Readable.from(output.chunks)
  else if (streams === 'web') context.body = ReadableStream.from(output.chunks)
  else context.body = new Response(ReadableStream.from(output.chunks), { status: output.status })
  context.status = output.status
  for (const [name, value] of fieldsByName(output.fields)) context.set(name, value)
}

async function handle(route: ContractRoute, context: Context, streams: StreamKind): Promise<void> {
  await turn()
  const { body } = context.request as { body?: unknown }
  const output = await route.handle({
    body: body instanceof Uint8Array ? body : new Uint8Array(),
    requestId: getRequestId(),
    run: idempotentRun(context),
    query: (name) => context.query[name] as string | undefined,
  })
  write(context, output, streams)
}

/** A parser of the kind that keeps the bytes as the body. */
const parse: Middleware = async (context, next) => {
  Object.assign(context.request, { body: await buffer(context.req) })
  await next()
}

function makeApp({ routes, idempotency, requestId: idOptions, parserFirst }: AdapterSetup, streams: StreamKind): Koa {
  const app = new Koa()
  // The default listener prints the stack of every error that is thrown on purpose.
  app.silent = true
  app.use(requestId(idOptions))
  if (parserFirst) app.use(parse)
  const router = new Router()
  const protect = idempotent({ ...idempotency, principal: (context) => context.get('x-user') })
  for (const route of routes) {
    const steps: Middleware[] = [...(route.idempotent ? [protect] : []), ...(parserFirst ? [] : [parse])]
    router[route.method === 'GET' ? 'get' : 'post'](route.path, ...steps, (context: Context) => handle(route, context, streams))
  }
  app.use(router.routes())
  return app
}

describe.each<[StreamKind]>([['Node'], ['web'], ['Response']])('streams of the kind %s', (streams) => {
  const contract = adapterContract({
    name: '@hopwise/koa',
    framework: `${installed('koa', import.meta.url)}, ${streams} streams`,
    capabilities: { streams: true, pipelining: true, parserFirst: true, expectContinue: true, drain: true },
    boot: (setup) => {
      const server = createServer(makeApp(setup, streams).callback())
      const hop = attach(server, { chain: ['nginx'] })
      return bootServer(server, () => hop.drain())
    },
  })
  testAdapterContract(contract, test)
  test('nothing is skipped', () => expect(contract.skipped).toEqual([]))
})
