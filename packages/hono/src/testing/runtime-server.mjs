/** The contract's app on Bun.serve or Deno.serve, as built. Says its port on standard output; ends when its input does. */
import process from 'node:process'
import * as hopwise from '@hopwise/hono'
import { contractRoutes } from '@hopwise/testkit/adapter'
import { contractApp } from './contract-app.mjs'
import { remoteStore } from './store-line.mjs'

const { storePort, idempotency, ...setup } = JSON.parse(process.argv.at(-1))
const app = contractApp({ ...setup, routes: contractRoutes(), idempotency: { ...idempotency, store: remoteStore(storePort) } }, hopwise)
const where = { hostname: '127.0.0.1', port: 0 }
const started = (port) => console.log(JSON.stringify({ port }))
if ('Bun' in globalThis) started(Bun.serve({ ...where, fetch: app.fetch }).port)
else Deno.serve({ ...where, onListen: ({ port }) => started(port) }, app.fetch)
process.stdin.on('end', () => process.exit(0)).resume()
