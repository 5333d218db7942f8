import { createServer } from 'node:http'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { getRequestId } from '@hopwise/core'
import { adapterContract, bootServer, installed, testAdapterContract, type AdapterSetup, type ContractRoute, type RouteOutput } from '@hopwise/testkit/adapter'
import express5, { type Express, type Request, type Response } from 'express'
import express4 from 'express4'
import { describe, expect, test } from 'vitest'
import { attach, idempotent, idempotentRun, keepRawBody, requestId } from './index.js'

type Framework = typeof express5

/** Each kind of answer by the means that Express users have for it. */
function write(response: Response, output: RouteOutput): void {
  if (output.kind === 'throw') throw new Error(output.message)
  response.status(output.status)
  for (const [name, value] of output.fields) response.append(name, value)
  if (output.kind === 'json') response.json(output.value)
  else if (output.kind === 'bytes') response.send(Buffer.from(output.bytes))
  else if (output.kind === 'stream') Readable.from(output.chunks).pipe(response)
  else response.end()
}

async function handle(route: ContractRoute, request: Request, response: Response): Promise<void> {
  await turn()
  const output = await route.handle({
    body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
    requestId: getRequestId(),
    run: idempotentRun(request),
    query: (name) => request.query[name] as string | undefined,
  })
  write(response, output)
}

function makeApp(express: Framework, { routes, idempotency, requestId: idOptions, parserFirst }: AdapterSetup): Express {
  const app = express()
  // The default error handler prints the stack of every error that is thrown on purpose.
  app.set('env', 'test')
  app.use(requestId(idOptions))
  const parser = express.raw({ type: () => true, limit: '12mb', verify: keepRawBody })
  if (parserFirst) app.use(parser)
  const protect = idempotent({ ...idempotency, principal: (request) => request.get('x-user') })
  for (const route of routes) {
    const steps = [...(route.idempotent ? [protect] : []), ...(parserFirst ? [] : [parser])]
    app[route.method === 'GET' ? 'get' : 'post'](route.path, ...steps, (request, response, next) => {
      handle(route, request, response).catch(next)
    })
  }
  return app
}

describe.each([
  [installed('express', import.meta.url), express5],
  [installed('express4', import.meta.url), express4],
])('%s', (framework, express) => {
  const contract = adapterContract({
    name: '@hopwise/express',
    framework,
    capabilities: { streams: true, pipelining: true, parserFirst: true, expectContinue: true, drain: true },
    boot: (setup) => {
      const server = createServer(makeApp(express, setup))
      const hop = attach(server, { chain: ['nginx'] })
      return bootServer(server, () => hop.drain())
    },
  })
  testAdapterContract(contract, test)
  test('nothing is skipped', () => expect(contract.skipped).toEqual([]))
})
