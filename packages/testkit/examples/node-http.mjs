// An adapter for node:http alone, on @hopwise/core: the one that WRITE-AN-ADAPTER.md explains. It decides nothing.
import { once } from 'node:events'
import { createIdempotency, createRequestIds, getContext, getRequestId, runInContext } from '@hopwise/core'

/**
 * A request listener for routes of `{ method, path, idempotent, handle }`. A handler gets `{ request, body, run, query }`
 * and gives `{ status, fields, body }`: fields as pairs of name and value, a body of bytes, of chunks as they come (an
 * async iterable), or null.
 */
export function createListener(routes, { requestId, idempotency, maxRequestBytes = 2 ** 20 }) {
  const ids = createRequestIds(requestId)
  const engine = createIdempotency(idempotency)

  async function serve(request, response) {
    const [path, search] = request.url.split('?')
    const method = request.method === 'HEAD' ? 'GET' : request.method
    const route = routes.find((one) => one.path === path && one.method === method)
    if (route === undefined) return sendWhole(response, { status: 404, fields: [], body: null })

    let body
    const read = async (limit) => (body ??= await readBody(request, limit))
    const decision = route.idempotent ? await engine.begin(incoming(request, path, read)) : { kind: 'pass' }
    if (decision.kind === 'reply') return sendWhole(response, decision.response)

    const ticket = decision.kind === 'run' ? decision.ticket : undefined
    if ((await read(maxRequestBytes)) === 'too-large') {
      ticket?.release()
      return send(response, { status: 413, fields: [], body: null }, ticket)
    }
    const call = { request, body, run: ticket, query: new URLSearchParams(search) }
    const context = { ...getContext(), ...(ticket !== undefined && { run: ticket }) }
    return send(response, await runInContext(context, () => answer(route, call)), ticket)
  }

  return (request, response) => {
    const context = ids.open((name) => valuesOf(request, name))
    response.setHeader(ids.header, context.requestId.id)
    // What fails here is a client that went away, or an option's function that threw: nothing has run.
    runInContext(context, () => serve(request, response).catch(() => response.destroy()))
  }
}

const valuesOf = (request, name) => request.headersDistinct[name] ?? []

/** The request as plain data and two functions. */
function incoming(request, route, body) {
  return { method: request.method, target: request.url, route, field: (name) => valuesOf(request, name), body, requestId: getRequestId(), native: request }
}

/** Rejects where the client goes away before the body is whole. */
async function readBody(request, limit) {
  const chunks = []
  let size = 0
  for await (const chunk of request) {
    size += chunk.length
    // The rest is read and thrown away, so that the answer gets through.
    if (size <= limit) chunks.push(chunk)
  }
  return size > limit ? 'too-large' : new Uint8Array(Buffer.concat(chunks))
}

/** The framework's error path: inside of what is protected, so that its answer is the result. */
async function answer(route, call) {
  try {
    return await route.handle(call)
  } catch {
    return { status: 500, fields: [['content-type', 'text/plain']], body: Buffer.from('Internal Server Error') }
  }
}

/** Sends an answer, the last of it when the ticket has stored it. */
async function send(response, { status, fields, body }, ticket) {
  const refusal = ticket?.admit(fields)
  if (refusal !== undefined) {
    await ticket.settle({ status: refusal.status, fields: [], body: null })
    return sendWhole(response, refusal)
  }
  const streams = body !== null && !(body instanceof Uint8Array)
  const copy = streams ? await stream(response, status, fields, body, ticket?.captureLimit ?? 0) : (body ?? new Uint8Array())
  const kept = copy !== null && ticket !== undefined && copy.length <= ticket.captureLimit ? copy : null
  const settled = await ticket?.settle({ status, fields, body: kept })
  if (settled?.kind === 'replace') return streams ? response.destroy() : sendWhole(response, settled.response)
  if (streams) return response.end()
  sendWhole(response, { status, fields, body: copy })
}

/** Sends chunks as they come, also to nobody, and gives a copy of them: null where it would be over the limit. */
async function stream(response, status, fields, chunks, limit) {
  response.writeHead(status, fields.flat())
  const copy = []
  let size = 0
  for await (const chunk of chunks) {
    size += chunk.length
    if (size <= limit) copy.push(chunk)
    else copy.length = 0
    if (response.destroyed || response.write(chunk)) continue
    await Promise.race([once(response, 'drain'), once(response, 'close')])
  }
  return size > limit ? null : Buffer.concat(copy)
}

function sendWhole(response, { status, fields, body }) {
  for (const [name, value] of fields) response.appendHeader(name, value)
  response.statusCode = status
  const bodiless = status === 204 || status === 304
  if (!bodiless) response.setHeader('content-length', body?.length ?? 0)
  response.end(bodiless ? undefined : (body ?? undefined))
}
