import type { Server } from 'node:http'
import { Readable } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { getRequestId } from '@hopwise/core'
import { adapterContract, bootServer, fieldsByName, installed, testAdapterContract, type AdapterSetup, type ContractRoute, type RouteOutput } from '@hopwise/testkit/adapter'
import { fastify, type FastifyReply, type FastifyRequest } from 'fastify'
import { describe, expect, test } from 'vitest'
import { attach, idempotency, idempotentRun, keepRawBody, requestId } from './index.js'

type StreamKind = 'Node' | 'web' | 'Response'

/** Each kind of answer by the means that Fastify users have for it. */
function write(reply: FastifyReply, output: RouteOutput, streams: StreamKind): FastifyReply {
  if (output.kind === 'throw') throw new Error(output.message)
  reply.code(output.status)
  for (const [name, value] of fieldsByName(output.fields)) reply.header(name, value)
  if (output.kind === 'json') return reply.type('application/json').serializer(JSON.stringify).send(output.value)
  if (output.kind === 'bytes') return reply.send(output.bytes)
  if (output.kind === 'empty') return reply.send()
  if (streams === 'Node') return reply.send(Readable.from(output.chunks))
  if (streams === 'web') return reply.send(ReadableStream.from(output.chunks))
  return reply.send(new Response(ReadableStream.from(output.chunks), { status: output.status }))
}

async function handle(route: ContractRoute, request: FastifyRequest, reply: FastifyReply, streams: StreamKind): Promise<FastifyReply> {
  await turn()
  const output = await route.handle({
    body: request.body instanceof Uint8Array ? request.body : new Uint8Array(),
    requestId: getRequestId(),
    run: idempotentRun(request),
    query: (name) => (request.query as Record<string, string | undefined>)[name],
  })
  return write(reply, output, streams)
}

/** Collects a stream's bytes, as hooks and parsers do that run before the plugin's. */
async function bytesOf(stream: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = []
  for await (const chunk of stream) chunks.push(chunk)
  return Buffer.concat(chunks)
}

async function makeServer({ routes, idempotency: options, requestId: idOptions, parserFirst }: AdapterSetup, streams: StreamKind): Promise<Server> {
  const app = fastify({ bodyLimit: 12 * 2 ** 20 })
  app.removeAllContentTypeParsers()
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body))
  await app.register(requestId, idOptions)
  if (parserFirst) {
    app.addHook('preParsing', async (request, _reply, payload) => {
      const bytes = await bytesOf(payload as unknown as AsyncIterable<Uint8Array>)
      keepRawBody(request.raw, undefined, bytes)
      return Readable.from([bytes], { objectMode: false })
    })
  }
  await app.register(idempotency, { ...options, principal: (request) => request.headers['x-user'] as string | undefined })
  for (const route of routes) {
    app.route({ method: route.method, url: route.path, config: { idempotent: route.idempotent }, handler: (request, reply) => handle(route, request, reply, streams) })
  }
  await app.ready()
  return app.server
}

describe.each<[StreamKind]>([['Node'], ['web'], ['Response']])('streams of the kind %s', (streams) => {
  const contract = adapterContract({
    name: '@hopwise/fastify',
    framework: `${installed('fastify', import.meta.url)}, ${streams} streams`,
    capabilities: { streams: true, pipelining: true, parserFirst: true, expectContinue: true, drain: true },
    boot: async (setup) => {
      const server = await makeServer(setup, streams)
      const hop = attach(server, { chain: ['nginx'] })
      return bootServer(server, () => hop.drain())
    },
  })
  testAdapterContract(contract, test)
  test('nothing is skipped', () => expect(contract.skipped).toEqual([]))
})
