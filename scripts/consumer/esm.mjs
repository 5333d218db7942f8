// The README's example from the packed packages, over a real socket: one order, one retry, one drain.
import assert from 'node:assert/strict'
import { once } from 'node:events'
import express from 'express'
import { memoryStore } from '@hopwise/core'
import { createClient } from '@hopwise/client'
import { attach, idempotent, requestId } from '@hopwise/express'

let orders = 0
const app = express()
app.use(requestId())
app.post('/orders', idempotent({ store: memoryStore(), principal: (request) => request.get('x-user') }), express.json(), (request, response) => {
  response.status(201).json({ id: ++orders, item: request.body.item })
})
const server = app.listen(0, '127.0.0.1')
const hop = attach(server, { chain: ['alb', 'nginx'] })
await once(server, 'listening')

const order = () => fetch(`http://127.0.0.1:${server.address().port}/orders`, {
  method: 'POST',
  headers: { 'content-type': 'application/json', 'idempotency-key': '"4f1c"', 'x-user': 'alice' },
  body: JSON.stringify({ item: 'tea' }),
})
const first = await order()
const second = await order()
assert.deepEqual([first.status, await first.text()], [201, '{"id":1,"item":"tea"}'])
assert.deepEqual([second.status, await second.text(), second.headers.get('idempotent-replayed')], [201, '{"id":1,"item":"tea"}', 'true'])
assert.equal(orders, 1)
assert.equal(server.keepAliveTimeout, 65_000)

// The client makes the key, since the origin is one that honours it.
const origin = `http://127.0.0.1:${server.address().port}`
const api = createClient({ trustedOrigins: [origin] })
const made = await api(`${origin}/orders`, { method: 'POST', headers: { 'content-type': 'application/json', 'x-user': 'alice' }, body: '{"item":"milk"}' })
assert.deepEqual([made.status, await made.json()], [201, { id: 2, item: 'milk' }])

assert.equal((await hop.drain()).closed.forced, 0)
console.log('ESM: the example runs')
