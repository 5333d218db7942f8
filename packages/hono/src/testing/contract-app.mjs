import { Hono } from 'hono'
import { getRequestId } from '@hopwise/core/request-id'
import { streamOf } from './stream-of.mjs'

/**
 * The routes of the contract as a Hono app, each kind of answer by the means that Hono users have for it. In JavaScript,
 * since Bun and Deno run it as well, against what is built; `hopwise` are the exports of the package.
 */
export function contractApp({ routes, idempotency, requestId: idOptions, parserFirst }, { idempotent, requestId }) {
  const app = new Hono()
  app.use(requestId(idOptions))
  const parser = async (c, next) => {
    if (c.req.method === 'POST') await c.req.arrayBuffer()
    await next()
  }
  if (parserFirst) app.use(parser)
  const protect = idempotent({ ...idempotency, principal: (c) => c.req.header('x-user') })
  for (const route of routes) {
    app.on(route.method, route.path, ...(route.idempotent ? [protect] : []), async (c) => {
      await new Promise((resolve) => setTimeout(resolve))
      const output = await route.handle({
        body: new Uint8Array(await c.req.arrayBuffer()),
        requestId: getRequestId(),
        run: c.var.idempotent,
        query: (name) => c.req.query(name),
      })
      return write(c, output)
    })
  }
  app.onError((error, c) => c.text(`an error: ${error.message}`, 500))
  return app
}

function write(c, output) {
  if (output.kind === 'throw') throw new Error(output.message)
  for (const [name, value] of output.fields) c.header(name, value, { append: true })
  if (output.kind === 'json') return c.json(output.value, output.status)
  if (output.kind === 'bytes') return c.body(output.bytes, output.status)
  if (output.kind === 'stream') return c.body(streamOf(output.chunks), output.status)
  return c.body(null, output.status)
}
