import { createServer, type IncomingMessage, type RequestListener, type Server, type ServerResponse } from 'node:http'
import { Server as NetServer } from 'node:net'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { getRequestId } from '@hopwise/core'
import { adapterContract, bootServer, testAdapterContract, type AdapterSetup, type ContractRoute, type RouteOutput } from '@hopwise/testkit/adapter'
import { expect, test } from 'vitest'
import { attach, createIdempotentMiddleware, idempotentRun, withRequestId } from './index.js'

async function readAll(request: IncomingMessage): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  for await (const chunk of request) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks)
}

/** Each kind of answer by `writeHead`, which the bridge has to see through. */
async function write(response: ServerResponse, output: RouteOutput): Promise<void> {
  if (output.kind === 'throw') {
    response.writeHead(500, { 'content-type': 'text/plain' }).end(output.message)
    return
  }
  if (output.kind === 'json') {
    const bytes = Buffer.from(JSON.stringify(output.value))
    response.writeHead(output.status, 'Fine', [...output.fields.flat(), 'Content-Type', 'application/json', 'Content-Length', String(bytes.length)])
    // In two writes, of which the second fills the declared length: the end() that follows brings nothing.
    response.write(bytes.subarray(0, 2))
    response.write(bytes.subarray(2))
    response.end()
  } else if (output.kind === 'bytes') {
    response.writeHead(output.status, output.fields.flat()).end(output.bytes)
  } else if (output.kind === 'stream') {
    response.writeHead(output.status, output.fields.flat())
    await pipeline(Readable.from(output.chunks), response).catch(() => {})
  } else {
    response.writeHead(output.status, output.fields.flat()).end()
  }
}

function listener({ routes, idempotency, requestId }: AdapterSetup): RequestListener {
  const path = (request: IncomingMessage) => (request.url ?? '').split('?')[0] ?? ''
  const protect = createIdempotentMiddleware<IncomingMessage>(
    { ...idempotency, principal: (request) => request.headers['x-user'] as string | undefined },
    { target: (request) => request.url ?? '/', route: path },
  )
  const run = async (route: ContractRoute, request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const body = await readAll(request)
    const query = new URLSearchParams((request.url ?? '').split('?')[1])
    await write(response, await route.handle({ body, requestId: getRequestId(), run: idempotentRun(request), query: (name) => query.get(name) ?? undefined }))
  }
  return withRequestId(requestId, (request, response) => {
    const route = routes.find((one) => one.path === path(request) && one.method === (request.method === 'HEAD' ? 'GET' : request.method))
    if (route === undefined) return void response.writeHead(404).end()
    const next = (error?: unknown): void => {
      if (error === undefined) run(route, request, response).catch((reason: unknown) => void response.writeHead(500).end(String(reason)))
      else response.writeHead(500).end(String(error))
    }
    if (route.idempotent) protect(request, response, next)
    else next()
  })
}

const contract = adapterContract({
  name: '@hopwise/node',
  framework: 'node:http',
  capabilities: { streams: true, pipelining: true, parserFirst: 'there is no body parser in node:http', expectContinue: true, drain: true },
  boot: (setup) => {
    const server = createServer(listener(setup))
    const hop = attach(server, { chain: ['nginx'] })
    return bootServer(server, () => hop.drain())
  },
})

testAdapterContract(contract, test)

test('what is skipped is what the capabilities say', () => {
  expect(new Set(contract.skipped.map(({ reason }) => reason))).toEqual(new Set(['there is no body parser in node:http']))
  expect(contract.skipped).toHaveLength(5)
})

/** Ends a server as others do; each loses a request, or leaves a connection that the hop in front would use again. */
const wrongDrains: readonly (readonly [name: string, complaint: RegExp, drain: (server: Server) => unknown])[] = [
  ['cuts idle connections, as close() of Node does', /^the connection ended \((end|reset)\) before a whole response/, (server) => server.close()],
  ['never says close', /^a replay on an idle connection: expected \[201,"true","close"\], got \[201,"true","keep-alive"\]/, (server) => NetServer.prototype.close.call(server)],
  ['says close on the first of two pipelined requests', /^the connection ended \((end|reset)\) before a whole response/, (server) => {
    server.prependListener('request', (_request, response) => void response.setHeader('connection', 'close'))
    NetServer.prototype.close.call(server)
  }],
]

test.each(wrongDrains)('a drain that %s is caught', async (_name, complaint, drain) => {
  const { cases } = adapterContract({
    name: 'wrong',
    capabilities: { streams: true, pipelining: true, parserFirst: 'no', expectContinue: true, drain: true },
    boot: (setup) => {
      const server = createServer(listener(setup))
      return bootServer(server, async () => void drain(server))
    },
  })
  const ofDrains = cases.filter(({ name }) => name.startsWith('wrong: while the server drains'))
  expect(ofDrains).toHaveLength(1)
  await expect(ofDrains[0]?.run()).rejects.toThrow(complaint)
})
