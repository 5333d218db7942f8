/** A server of Bun or Deno with a policy; drains at the line `drain`, and tells what came of it. */
import process from 'node:process'
import { policy as policyOf } from '@hopwise/hono'
import { Hono } from 'hono'

const { policy } = JSON.parse(process.argv.at(-1))
const say = (value) => console.log(JSON.stringify(value))
let hop
const gate = Promise.withResolvers()
const app = new Hono()
app.use(policyOf(() => hop))
app.get('/ready', (c) => c.text(hop.phase, hop.ready ? 200 : 503))
app.get('/gated', async (c) => {
  say({ reached: true })
  await gate.promise
  return c.text('done')
})
if ('Bun' in globalThis) {
  const { attach, serverSettings } = await import('@hopwise/hono/bun')
  const server = Bun.serve({ ...serverSettings(policy), hostname: '127.0.0.1', port: 0, fetch: app.fetch })
  hop = attach(server, policy)
  say({ port: server.port })
} else {
  const { attach } = await import('@hopwise/hono/deno')
  hop = attach(Deno.serve({ hostname: '127.0.0.1', port: 0, onListen: ({ port }) => say({ port }) }, app.fetch), policy)
}
hop.on('phase', say)
process.stdin.setEncoding('utf8')
process.stdin.on('data', (text) => {
  for (const line of text.trim().split('\n')) {
    if (line === 'open') gate.resolve()
    if (line === 'drain') hop.drain().then(({ forced }) => say({ forced }))
  }
})
process.stdin.on('end', () => process.exit(0))
