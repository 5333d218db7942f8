import { test } from 'node:test'
import express from 'express'
import { fastify } from 'fastify'
import { Hono } from 'hono'
import { createClient, type RequestError } from '@hopwise/client'
import { lintAgent, safeAgent } from '@hopwise/client/node'
import { definePolicy, memoryStore, type IdempotencyStore, type Policy } from '@hopwise/core'
import { createIdempotency } from '@hopwise/core/idempotency'
import { idempotent, idempotentRun, requestId } from '@hopwise/express'
import { idempotency } from '@hopwise/fastify'
import { idempotent as onHono, policy as policyOnHono, requestId as idOnHono } from '@hopwise/hono'
import { HopwiseModule, Idempotent, type NestRequest } from '@hopwise/nest'
import { attach, type Hop } from '@hopwise/node'
import { sqliteStore } from '@hopwise/sqlite'
import { adapterContract, testAdapterContract } from '@hopwise/testkit/adapter'
import { storeContract } from '@hopwise/testkit/store'

const store: IdempotencyStore = memoryStore({ maxEntries: 10 })
const policy: Policy = definePolicy({ chain: ['alb'], margin: '5s' })
const app = express()
app.use(requestId({ trust: true }))
app.post('/orders', idempotent({ store, principal: (request) => request.get('x-user') }), (request, response) => {
  response.json({ attempt: idempotentRun(request)?.attempt })
})
export const api = fastify()
void api.register(idempotency, { store, principal: (request) => request.headers['x-user'] as string | undefined })
api.post('/orders', { config: { idempotent: { lease: '1m' } } }, async () => ({}))
export const nest = [
  HopwiseModule.forRoot({ policy: { chain: ['alb'] }, idempotency: { store, principal: (request: NestRequest & { readonly user: { readonly id: string } }) => request.user.id } }),
  HopwiseModule.forRootAsync({ useFactory: () => ({ idempotency: { store, principal: ({ headers }) => headers['x-user'] as string | undefined } }) }),
  Idempotent({ lease: '1m' }),
]
export const hop: Hop = attach(app.listen(0), policy)
export const hono = new Hono()
  .use(policyOnHono(() => hop), idOnHono())
  .post('/orders', onHono({ store, principal: (c) => c.req.header('x-user') }), (c) => c.json({ id: c.get('requestId'), attempt: c.var.idempotent?.attempt }))
export const client: typeof fetch = createClient({ chain: ['alb'], trustedOrigins: ['https://api.example.com'] })
export const verdictOf = (error: RequestError) => error.verdict
export const agents = [safeAgent('https:'), ...lintAgent(safeAgent('http:'), { chain: ['alb'] })]
export const others = [createIdempotency, sqliteStore, storeContract]
testAdapterContract(
  adapterContract({
    name: 'mine',
    capabilities: { streams: true, pipelining: true, parserFirst: 'no', expectContinue: true, drain: 'no' },
    boot: async () => ({ port: 1, close: async () => {} }),
  }),
  test,
)

// @ts-expect-error A number of seconds without a unit is not a duration.
definePolicy({ margin: '5' })
// @ts-expect-error Not an option.
idempotent({ store, scope: 'global', stor: 1 })
