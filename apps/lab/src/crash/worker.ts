import { randomUUID } from 'node:crypto'
import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as wait } from 'node:timers/promises'
import type { Duration } from '@hopwise/core'
import { createIdempotentMiddleware, idempotentRun } from '@hopwise/node'
import type { BackendAddress } from '../backends/backend.js'
import { openBackend } from '../backends/open.js'

/** A worker of the lab: one protected handler with an effect in its middle, on any backend. */
const { address, leaseMs } = JSON.parse(process.argv[2] ?? '{}') as { address: BackendAddress; leaseMs: Duration }
const backend = await openBackend(address)
const protect = createIdempotentMiddleware<IncomingMessage>(
  { store: backend.store, scope: 'global', lease: leaseMs, onCrash: 'reject', storeDeadline: '5s' },
  { target: (request) => request.url ?? '/', route: (request) => request.url ?? '/' },
)

const server = createServer((request, response) => {
  protect(request, response, (error) => {
    if (error !== undefined) return void response.writeHead(500).end(String(error))
    const key = String(request.headers['idempotency-key'])
    void (async () => {
      await wait(Math.random() * 8)
      await backend.effect(key, idempotentRun(request)?.transaction)
      await wait(Math.random() * 8)
      response.writeHead(201, { 'content-type': 'application/json' }).end(JSON.stringify({ key, made: randomUUID() }))
    })().catch((reason: unknown) => response.writeHead(503).end(String(reason)))
  })
})
process.on('disconnect', () => process.exit(0))
server.listen(0, '127.0.0.1', () => process.send?.((server.address() as AddressInfo).port))
