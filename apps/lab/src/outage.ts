import { randomUUID } from 'node:crypto'
import { createServer, request, type IncomingMessage } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { createIdempotentMiddleware, idempotentRun } from '@hopwise/node'
import { bootServer } from '@hopwise/testkit/adapter'
import type { Backend, BackendServer } from './backends/backend.js'
import { backendNames, storeOption } from './backends/names.js'
import { openBackend } from './backends/open.js'
import { startBackend } from './backends/start.js'
import { defineScenario, type Row } from './scenario.js'
import { startTcpProxy, type TcpProxy } from './tcp-proxy.js'

const storeDeadlineMs = 500
/** Claim and result each have the deadline; a transactional claim waits for its lock before; the rest is a busy machine. */
const longestAllowedMs = 2 * storeDeadlineMs + 1_000 + 1_500
const clients = 16

type Fault = (server: BackendServer, proxy: TcpProxy) => Promise<void>

/** What happens to the database under load, from good to good. */
const faults: Readonly<Record<string, Fault>> = {
  frozen: async ({ faults: database }) => {
    database?.freeze()
    await wait(2_000)
    database?.thaw()
  },
  'killed and restarted': async ({ faults: database }) => {
    await database?.kill()
    await wait(1_000)
    await database?.restart()
  },
  'connections cut': async (_server, proxy) => {
    for (let time = 0; time < 10; time++) {
      proxy.cut()
      await wait(150)
    }
  },
  '40 ms away': async (_server, proxy) => {
    proxy.delay(40)
    await wait(1_500)
    proxy.delay(0)
  },
}

/** The database goes away in every manner while requests come: bounded answers, 503 alone, nothing done twice. */
export const outage = defineScenario({
  about: 'the database frozen, killed, cut off and far away under load: 503 within the deadline, nothing twice',
  options: { store: storeOption },
  run: async ({ store }, { say }) => {
    const rows: Row[] = []
    for (const name of backendNames.filter((one) => !one.startsWith('sqlite') && (store.length === 0 || store.includes(one)))) {
      for (const [fault, happen] of Object.entries(faults)) {
        say(`outage: ${name}, ${fault}`)
        rows.push(await outageOf(name, fault, happen))
      }
    }
    const good = (row: Row) => row['other'] === 0 && row['hung'] === 0 && row['doubled'] === 0 && Number(row['longest_ms']) <= longestAllowedMs && Number(row['served_after']) > 0
    return { rows, ok: rows.length > 0 && rows.every(good) }
  },
})

async function outageOf(name: string, fault: string, happen: Fault): Promise<Row> {
  const server = await startBackend(name)
  const proxy = await startTcpProxy(server.address.port)
  const backend = await openBackend({ ...server.address, port: proxy.port })
  const effects = new Map<string, number>()
  const service = await startService(backend, effects)
  const figures = { requests: 0, served: 0, refused: 0, in_progress: 0, other: 0, hung: 0, longest_ms: 0 }
  let over = false
  const client = async (): Promise<void> => {
    while (!over) {
      const key = randomUUID()
      // Until it is answered for good, as a client with a key may.
      for (let status = 503; status === 503 && !over; ) {
        const since = performance.now()
        status = await post(service.port, key)
        figures.requests++
        figures.longest_ms = Math.max(figures.longest_ms, Math.round(performance.now() - since))
        if (status === 201) figures.served++
        else if (status === 503) figures.refused++
        else if (status === 409) figures.in_progress++
        else if (status === 0) figures.hung++
        else figures.other++
        if (status === 503) await wait(20)
      }
    }
  }
  const work = Promise.all(Array.from({ length: clients }, client))
  await wait(500)
  await happen(server, proxy)
  await wait(1_000)
  const servedBefore = figures.served
  await wait(1_000)
  over = true
  await work
  const counted = backend.mode === 'leased' ? effects : await backend.effects()
  const doubled = [...counted.values()].filter((count) => count > 1).length
  await service.close()
  await backend.close()
  await proxy.stop()
  await server.stop()
  return { store: name.replace('-tx', ''), mode: backend.mode, fault, ...figures, served_after: figures.served - servedBefore, doubled }
}

async function startService(backend: Backend, effects: Map<string, number>) {
  const protect = createIdempotentMiddleware<IncomingMessage>(
    { store: backend.store, scope: 'global', onCrash: 'reject', storeDeadline: storeDeadlineMs },
    { target: (incoming) => incoming.url ?? '/', route: (incoming) => incoming.url ?? '/' },
  )
  const server = createServer((incoming, response) => {
    protect(incoming, response, (error) => {
      if (error !== undefined) return void response.writeHead(500).end()
      const key = String(incoming.headers['idempotency-key'])
      void (async () => {
        // In leased mode the effect lies outside of the database that fails.
        if (backend.mode === 'leased') effects.set(key, (effects.get(key) ?? 0) + 1)
        else await within(storeDeadlineMs, backend.effect(key, idempotentRun(incoming)?.transaction))
        response.writeHead(201).end(key)
      })().catch(() => response.writeHead(503).end())
    })
  })
  return bootServer(server)
}

/** A handler's own query has a bound of its own, as it should have anywhere. */
function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  return Promise.race([work, wait(milliseconds).then(() => Promise.reject(new Error('the effect took too long')))])
}

function post(port: number, key: string): Promise<number> {
  return new Promise((resolve) => {
    const outgoing = request({ host: '127.0.0.1', port, method: 'POST', path: '/orders', agent: false, timeout: 10_000, headers: { 'idempotency-key': key } }, (response) => {
      response.resume()
      response.once('close', () => resolve(response.statusCode ?? 0))
    })
    outgoing.once('timeout', () => outgoing.destroy())
    outgoing.once('error', () => resolve(0))
    outgoing.end('{}')
  })
}
