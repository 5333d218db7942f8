import express from 'express'
import { fastify } from 'fastify'
import { definePolicy, memoryStore, type IdempotencyStore, type Policy } from '@hopwise/core'
import { createIdempotency } from '@hopwise/core/idempotency'
import { idempotent, idempotentRun, requestId } from '@hopwise/express'
import { idempotency } from '@hopwise/fastify'
import { HopwiseModule, Idempotent, type NestRequest } from '@hopwise/nest'
import { attach, type Hop } from '@hopwise/node'
import { sqliteStore } from '@hopwise/sqlite'
import { adapterContract } from '@hopwise/testkit/adapter'
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
export const others = [createIdempotency, sqliteStore, adapterContract, storeContract]

// @ts-expect-error A number of seconds without a unit is not a duration.
definePolicy({ margin: '5' })
// @ts-expect-error Not an option.
idempotent({ store, scope: 'global', stor: 1 })
