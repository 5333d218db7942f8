import type { IdempotencyStore } from '@hopwise/core'
import type { AdapterSetup } from './contract.js'
import { decode, encode, lentOperations } from './lent-wire.js'
import { contractRoutes } from './routes.js'

/** A setup on its way: without what only one process can have. */
export type SentSetup = Omit<AdapterSetup, 'routes' | 'idempotency'> & { readonly idempotency: object; readonly storeUrl: string }

/**
 * The setup of a case, in the program that serves it: fresh routes, and the store of the process that runs the case, which
 * is asked by `fetch`. Needs nothing of Node.
 * @param text what `bootProgram` puts into the environment variable `HOPWISE_CONTRACT`, or `bootUrl` sends
 * @throws Error where there is no such text
 */
export function contractSetup(text: string | undefined): AdapterSetup {
  if (text === undefined || text === '') throw new Error('there is no setup: bootProgram() gives it in the environment variable HOPWISE_CONTRACT, bootUrl() in the body of its request')
  const { storeUrl, idempotency, ...setup } = JSON.parse(text) as SentSetup
  return { ...setup, routes: contractRoutes(), idempotency: { ...idempotency, store: lentStore(storeUrl) } }
}

/** The store that another process lends at an address; see `lendStore`. */
function lentStore(url: string): IdempotencyStore {
  const ask = (operation: string) => async (...values: unknown[]): Promise<unknown> => {
    const response = await fetch(`${url}/${operation}`, { method: 'POST', body: encode(values) })
    const bytes = new Uint8Array(await response.arrayBuffer())
    if (response.status !== 200) throw new Error(`the lent store answers ${operation} with ${response.status}`)
    const { value, failed } = decode(bytes) as { value?: unknown; failed?: string }
    if (failed !== undefined) throw new Error(failed)
    return value
  }
  return Object.fromEntries(lentOperations.map((operation) => [operation, ask(operation)])) as unknown as IdempotencyStore
}
