import type { Server } from 'node:http'
import { createAdaptorServer } from '@hono/node-server'
import { getRequestId } from '@hopwise/core'
import { idempotent, idempotentRun, withRequestId } from '@hopwise/core/fetch'
import { adapterContract, bootServer, installed, testAdapterContract, type AdapterSetup, type ContractRoute, type RouteOutput } from '@hopwise/testkit/adapter'
import { describe, expect, test } from 'vitest'
import { streamOf } from './testing/contract-app.mjs'

// `@hopwise/core/fetch` without a framework. It stands here since core knows no server that could serve it.

function write(output: RouteOutput): Response {
  if (output.kind === 'throw') throw new Error(output.message)
  const headers = new Headers()
  for (const [name, value] of output.fields) headers.append(name, value)
  const init = { status: output.status, headers }
  if (output.kind === 'json') return Response.json(output.value, init)
  if (output.kind === 'bytes') return new Response(output.bytes as Uint8Array<ArrayBuffer>, init)
  return new Response(output.kind === 'stream' ? streamOf(output.chunks) : null, init)
}

/** The handler of one route. What it throws becomes a response inside of what is protected, as the wrapper wants it. */
const handlerOf = (route: ContractRoute) => async (request: Request): Promise<Response> => {
  try {
    const output = await route.handle({
      body: new Uint8Array(await request.arrayBuffer()),
      requestId: getRequestId(),
      run: idempotentRun(request),
      query: (name) => new URL(request.url).searchParams.get(name) ?? undefined,
    })
    return write(output)
  } catch (error) {
    return new Response(String(error), { status: 500 })
  }
}

function fetchOf({ routes, idempotency, requestId }: AdapterSetup): (request: Request) => Promise<Response> {
  const protect = idempotent({ ...idempotency, principal: (request: Request) => request.headers.get('x-user') ?? undefined })
  const handlers = new Map(routes.map((route) => [`${route.method} ${route.path}`, route.idempotent ? protect(handlerOf(route)) : handlerOf(route)]))
  return withRequestId(requestId, (request) => handlers.get(`${request.method} ${new URL(request.url).pathname}`)?.(request) ?? new Response(null, { status: 404 }))
}

const readsOnce = 'a Request keeps no copy of a body that was read'

describe.each([
  ['as @hono/node-server has it', true],
  ['with the global Request left as it is', false],
])('core/fetch on @hono/node-server, %s', (_how, overrideGlobalObjects) => {
  const contract = adapterContract({
    name: '@hopwise/core/fetch',
    framework: `${installed('@hono/node-server', import.meta.url)}, ${overrideGlobalObjects ? 'its own' : 'the global'} Request`,
    capabilities: { streams: true, pipelining: true, parserFirst: readsOnce },
    boot: (setup) => bootServer(createAdaptorServer({ fetch: fetchOf(setup), overrideGlobalObjects }) as Server),
  })
  testAdapterContract(contract, test)
  test('only a parser that comes first is skipped', () => expect(new Set(contract.skipped.map(({ reason }) => reason))).toEqual(new Set([readsOnce])))
})
