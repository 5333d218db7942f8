import { createServer, type RequestListener } from 'node:http'
import { getRequestId } from '@hopwise/core'
import { expect, test } from 'vitest'
import { bootServer } from './boot-server.js'
import { adapterContract, type AdapterSetup, type IdempotentRunLike } from './contract.js'
import type { RouteOutput } from './routes.js'
import { testAdapterContract } from './test-contract.js'

interface Call {
  readonly request: object
  readonly body: Uint8Array
  readonly run: IdempotentRunLike | undefined
  readonly query: URLSearchParams
}

interface Answer {
  readonly status: number
  readonly fields: readonly (readonly [string, string])[]
  readonly body: Uint8Array | AsyncIterable<Uint8Array> | null
}

interface Guide {
  createListener(routes: readonly { method: string; path: string; idempotent: boolean; handle: (call: Call) => Promise<Answer> }[], options: object): RequestListener
}

const { createListener } = (await import(new URL('../../examples/node-http.mjs', import.meta.url).href)) as Guide

function answerOf(output: RouteOutput): Answer {
  if (output.kind === 'throw') throw new Error(output.message)
  const { status, fields } = output
  if (output.kind === 'json') return { status, fields: [...fields, ['content-type', 'application/json']], body: Buffer.from(JSON.stringify(output.value)) }
  return { status, fields, body: output.kind === 'bytes' ? output.bytes : output.kind === 'stream' ? output.chunks : null }
}

function listener({ routes, idempotency, requestId }: AdapterSetup): RequestListener {
  return createListener(
    routes.map(({ handle, ...route }) => ({
      ...route,
      handle: async ({ body, run, query }) => answerOf(await handle({ body, run, requestId: getRequestId(), query: (name) => query.get(name) ?? undefined })),
    })),
    {
      requestId,
      idempotency: { ...idempotency, principal: (request: { headers: Record<string, string | undefined> }) => request.headers['x-user'] },
      maxRequestBytes: 12 * 2 ** 20,
    },
  )
}

const noParser = 'it reads the body itself'
const noDrain = 'it has no connections: attach() of @hopwise/node does that'
const contract = adapterContract({
  name: 'the guide\'s adapter',
  framework: 'node:http',
  capabilities: { streams: true, pipelining: true, parserFirst: noParser, expectContinue: true, drain: noDrain },
  boot: (setup) => bootServer(createServer(listener(setup))),
})

testAdapterContract(contract, test)
test('what is skipped is what the guide says', () => expect(new Set(contract.skipped.map(({ reason }) => reason))).toEqual(new Set([noParser, noDrain])))
