import { getRequestId } from '@hopwise/core/request-id'
import { idempotent, idempotentRun, withRequestId } from '@hopwise/core/fetch'
import { streamOf } from './stream-of.mjs'

/**
 * The routes of the contract behind `@hopwise/core/fetch`, without a framework. It stands here since core knows no server
 * that could serve it; in JavaScript, since workerd runs it as well. The second argument of a handler is the context of
 * a worker, where there is one.
 */
export function fetchApp({ routes, idempotency, requestId }) {
  const protect = idempotent({
    ...idempotency,
    principal: (request) => request.headers.get('x-user') ?? undefined,
    waitUntil: (_request, context) => context?.waitUntil?.bind(context),
  })
  const handlers = new Map(routes.map((route) => [`${route.method} ${route.path}`, route.idempotent ? protect(handlerOf(route)) : handlerOf(route)]))
  return withRequestId(requestId, (request, context) => {
    const method = request.method === 'HEAD' ? 'GET' : request.method
    return handlers.get(`${method} ${new URL(request.url).pathname}`)?.(request, context) ?? new Response(null, { status: 404 })
  })
}

/** The handler of one route. What it throws becomes a response inside of what is protected, as the wrapper wants it. */
const handlerOf = (route) => async (request) => {
  try {
    return write(await route.handle({
      body: new Uint8Array(await request.arrayBuffer()),
      requestId: getRequestId(),
      run: idempotentRun(request),
      query: (name) => new URL(request.url).searchParams.get(name) ?? undefined,
    }))
  } catch (error) {
    return new Response(String(error), { status: 500 })
  }
}

function write(output) {
  if (output.kind === 'throw') throw new Error(output.message)
  const headers = new Headers()
  for (const [name, value] of output.fields) headers.append(name, value)
  const init = { status: output.status, headers }
  if (output.kind === 'json') return Response.json(output.value, init)
  if (output.kind === 'bytes') return new Response(output.bytes, init)
  return new Response(output.kind === 'stream' ? streamOf(output.chunks) : null, init)
}
