/** The contract's app on Bun.serve or Deno.serve, as built. Says its port on standard output; ends when its input does. */
import process from 'node:process'
import * as hopwise from '@hopwise/hono'
import { contractSetup } from '@hopwise/testkit/program'
import { contractApp } from './contract-app.mjs'

const app = contractApp(contractSetup(process.env.HOPWISE_CONTRACT), hopwise)
const where = { hostname: '127.0.0.1', port: 0 }
const started = (port) => console.log(JSON.stringify({ port }))
if ('Bun' in globalThis) started(Bun.serve({ ...where, fetch: app.fetch }).port)
else Deno.serve({ ...where, onListen: ({ port }) => started(port) }, app.fetch)
process.stdin.on('end', () => process.exit(0)).resume()
