import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { json } from 'node:stream/consumers'
import { setTimeout as wait } from 'node:timers/promises'
import { createIdempotentMiddleware, idempotentRun } from '@hopwise/node'
import { openBackend } from '../backends/open.js'
import { stopWithHopwise } from '../servers/hopwise.js'
import type { FromInstance, InstanceOptions, ToInstance } from './messages.js'

/** An instance of the orders API, a process of its own: the order and its key commit together. */
const { port, address } = JSON.parse(process.argv[2] ?? '{}') as InstanceOptions
const backend = await openBackend(address)
const tell = (message: FromInstance): void => void process.send?.(message)
// An instance outlives its lab by no more than this.
process.on('disconnect', () => process.exit(1))

let holdNext = false
process.on('message', ({ kind }: ToInstance) => {
  holdNext = kind === 'hold-next'
})

const protect = createIdempotentMiddleware<IncomingMessage>({ store: backend.store, scope: 'global', storeDeadline: '5s' }, { target: ({ url = '/' }) => url, route: () => '/orders' })

async function order(request: IncomingMessage, response: ServerResponse): Promise<void> {
  const { reference } = (await json(request)) as { reference: string }
  await backend.effect(reference, idempotentRun(request)?.transaction)
  if (holdNext) {
    holdNext = false
    tell({ kind: 'holding' })
    return
  }
  await wait(Math.random() * 5)
  answer(response, 201, { reference })
}

async function list(response: ServerResponse): Promise<void> {
  await wait(Math.random() * 10)
  answer(response, 200, { open: true })
}

function answer(response: ServerResponse, status: number, body: object): void {
  const text = JSON.stringify(body)
  response.writeHead(status, { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) }).end(text)
}

const server = createServer((request, response) => {
  protect(request, response, (error) => {
    if (error !== undefined) return answer(response, 500, { error: String(error) })
    const handled = request.method === 'POST' ? order(request, response) : list(response)
    handled.catch((reason: unknown) => answer(response, 503, { error: String(reason) }))
  })
})
stopWithHopwise(server, { chain: ['nginx'], drain: { deadline: '8s' } }, () => void backend.close().finally(() => process.exit(0)))
server.listen(port, '127.0.0.1', () => tell({ kind: 'listening' }))
