// The example of "Write an adapter in an hour", as it is packed, held to the contract by node:test.
import { createServer } from 'node:http'
import { test } from 'node:test'
import { getRequestId } from '@hopwise/core'
import { adapterContract, bootServer, testAdapterContract } from '@hopwise/testkit/adapter'
import { createListener } from './node_modules/@hopwise/testkit/examples/node-http.mjs'

function answerOf(output) {
  if (output.kind === 'throw') throw new Error(output.message)
  const { status, fields } = output
  if (output.kind === 'json') return { status, fields: [...fields, ['content-type', 'application/json']], body: Buffer.from(JSON.stringify(output.value)) }
  return { status, fields, body: output.bytes ?? output.chunks ?? null }
}

const contract = adapterContract({
  name: 'my adapter',
  framework: 'node:http',
  capabilities: {
    streams: true,
    pipelining: true,
    expectContinue: true,
    parserFirst: 'it reads the body itself',
    drain: 'it has no connections: attach() of @hopwise/node does that',
  },
  boot: ({ routes, idempotency, requestId }) => {
    const served = routes.map((route) => ({
      ...route,
      handle: async ({ body, run, query }) =>
        answerOf(await route.handle({ body, run, requestId: getRequestId(), query: (name) => query.get(name) ?? undefined })),
    }))
    const principal = (request) => request.headers['x-user']
    return bootServer(createServer(createListener(served, { requestId, idempotency: { ...idempotency, principal }, maxRequestBytes: 2 ** 24 })))
  },
})
testAdapterContract(contract, test)
