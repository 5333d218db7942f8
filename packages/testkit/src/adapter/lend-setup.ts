import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { duration, type IdempotencyStore } from '@hopwise/core'
import type { AdapterSetup } from './contract.js'
import { decode, encode, lentOperations } from './lent-wire.js'
import type { SentSetup } from './program.js'

/** A setup that a server in another process can take. */
export interface LentSetup {
  /** For `contractSetup`. */
  readonly text: string
  /** Takes the store back: calls that have no answer yet get none. */
  close(): Promise<void>
}

/** The longest call, in bytes: more than the contract's largest response. */
const mostBytes = 32 * 2 ** 20

/** The least `storeDeadline` of a lent store, in milliseconds: cases set it for one that is a function call away. */
const leastDeadline = 2_000

/**
 * Lends the store of a setup, and makes the text that tells of it. The store's deadline is 2 s at least.
 * @throws Error where an option or the store cannot be used from another process
 */
export async function lendSetup({ routes: _madeThere, idempotency: { store, ...idempotency }, ...setup }: AdapterSetup): Promise<LentSetup> {
  if (store.transactional !== undefined) throw new Error('a transactional store cannot be lent to a server in another process: its transactions live in this one')
  const storeDeadline = Math.max(leastDeadline, duration(idempotency.storeDeadline ?? 0))
  const sent: Omit<SentSetup, 'storeUrl'> = { ...setup, idempotency: { ...idempotency, storeDeadline } }
  assertPlain('the setup', sent)
  const { url, close } = await lendStore(store)
  return { text: JSON.stringify({ ...sent, storeUrl: url }), close }
}

function assertPlain(name: string, value: unknown): void {
  if (typeof value === 'function') throw new Error(`${name} is a function, which cannot be given to a server in another process`)
  if (typeof value !== 'object' || value === null) return
  for (const [inner, one] of Object.entries(value)) assertPlain(inner, one)
}

/** Serves a store on a free port of 127.0.0.1, below a path that nobody can guess. */
async function lendStore(store: IdempotencyStore): Promise<{ readonly url: string; close(): Promise<void> }> {
  const secret = randomUUID()
  const server = createServer((request, response) => {
    answer(store, secret, request, response).catch(() => response.destroy())
  })
  // Else a call could meet the end of a connection that was idle for 5 s.
  server.keepAliveTimeout = 0
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/${secret}`,
    close: async () => {
      server.close()
      server.closeAllConnections()
      await once(server, 'close')
    },
  }
}

async function answer(store: IdempotencyStore, secret: string, request: IncomingMessage, response: ServerResponse): Promise<void> {
  const operation = lentOperations.find((one) => request.method === 'POST' && request.url === `/${secret}/${one}`)
  if (operation === undefined) return void response.writeHead(404).end()
  const chunks: Buffer[] = []
  let length = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    length += chunk.length
    if (length > mostBytes) return void response.writeHead(413, { connection: 'close' }).end()
    chunks.push(chunk)
  }
  const values = decode(Buffer.concat(chunks)) as unknown[]
  const call = store[operation].bind(store) as (...values: unknown[]) => Promise<unknown>
  let outcome: unknown
  try {
    outcome = { value: await call(...values) }
  } catch (error) {
    outcome = { failed: error instanceof Error ? error.message : String(error) }
  }
  response.writeHead(200, { 'content-type': 'application/octet-stream' }).end(encode(outcome))
}
