/**
 * The guide's adapter in a process of its own: one case, as the environment says, or with `--by-url` one after another,
 * each as it is told. Stops at SIGTERM, and when its input ends.
 */
import { createServer } from 'node:http'
import process from 'node:process'
import { buffer } from 'node:stream/consumers'
import { getRequestId } from '@hopwise/core'
import { contractSetup } from '@hopwise/testkit/program'
import { createListener } from '../../../examples/node-http.mjs'

function appOf({ routes, idempotency, requestId }) {
  const handled = routes.map((route) => ({
    ...route,
    handle: async ({ body, run, query }) => answerOf(await route.handle({ body, run, requestId: getRequestId(), query: (name) => query.get(name) ?? undefined })),
  }))
  return createListener(handled, { requestId, idempotency: { ...idempotency, principal: (request) => request.headers['x-user'] }, maxRequestBytes: 12 * 2 ** 20 })
}

function answerOf(output) {
  if (output.kind === 'throw') throw new Error(output.message)
  const { status, fields } = output
  if (output.kind === 'json') return { status, fields: [...fields, ['content-type', 'application/json']], body: Buffer.from(JSON.stringify(output.value)) }
  return { status, fields, body: output.bytes ?? output.chunks ?? null }
}

let app = process.argv.includes('--by-url') ? undefined : appOf(contractSetup(process.env.HOPWISE_CONTRACT))
const server = createServer(async (request, response) => {
  if (request.url !== '/control/setup') return app(request, response)
  app = appOf(contractSetup((await buffer(request)).toString()))
  response.writeHead(204).end()
})
server.listen(0, '127.0.0.1', () => {
  console.log('a line that says something else')
  console.log(JSON.stringify({ port: server.address().port }))
})
process.once('SIGTERM', () => server.close(() => process.exit(0)))
process.stdin.on('end', () => process.exit(0)).resume()
