import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createIdempotency, createRequestIds, getContext, getRequestId, runInContext, type Incoming } from '@hopwise/core'
import { beforeAll, describe, expect, test } from 'vitest'
import { bootServer } from './boot-server.js'
import { runCases, type CasesReport } from '../store/run-cases.js'
import { adapterContract, type AdapterSetup } from './contract.js'

/** What can be done wrong in an adapter; each is a mistake that a published middleware makes. */
interface Mistakes {
  /** Read the body as text, and hand that on. */
  readonly textBody?: boolean
  /** Take the first value of a repeated field. */
  readonly firstValueOnly?: boolean
  /** Send the answer, and store it meanwhile. */
  readonly answerFirst?: boolean
  /** Stop when the client goes away. */
  readonly stopWithClient?: boolean
  /** Forget the query in the target. */
  readonly noQuery?: boolean
  /** One caller for all. */
  readonly onePrincipal?: boolean
  /** Send what a stale owner made. */
  readonly sendStale?: boolean
  /** Store only the content type among the fields. */
  readonly fewFields?: boolean
  /** Set fields by name, so that the last of two values is left. */
  readonly lastValueOnly?: boolean
  /** Run the handler with as much of the body as came before the connection was cut. */
  readonly halfBody?: boolean
  /** Close the connection after a refusal, whether its client asked for that or not. */
  readonly closesAfterRefusal?: boolean
  /** Answer HEAD with the body of GET. */
  readonly bodyOnHead?: boolean
  /** Answer a body that is held back with 417 instead of asking for it. */
  readonly refusesExpect?: boolean
  /** Look the field up as it is written. */
  readonly caseSensitive?: boolean
}

async function readAll(request: IncomingMessage, text: boolean, half: boolean): Promise<Uint8Array> {
  const chunks: Buffer[] = []
  try {
    for await (const chunk of request) chunks.push(chunk as Buffer)
  } catch (error) {
    if (!half) throw error
  }
  const bytes = Buffer.concat(chunks)
  return text ? Buffer.from(bytes.toString('utf8')) : bytes
}

/** A buffering adapter for node:http: right but for streams, and wrong as it is told. */
function listener({ routes, idempotency, requestId }: AdapterSetup, wrong: Mistakes) {
  const ids = createRequestIds(requestId)
  const engine = createIdempotency<IncomingMessage>({
    ...idempotency,
    principal: (request) => (wrong.onePrincipal ? 'everybody' : (request.headers['x-user'] as string | undefined)),
  })
  const values = (request: IncomingMessage, name: string) => {
    if (wrong.caseSensitive) return request.rawHeaders.flatMap((one, at) => (at % 2 === 1 && request.rawHeaders[at - 1] === name ? [one] : []))
    return (request.headersDistinct[name] ?? []).slice(0, wrong.firstValueOnly ? 1 : undefined)
  }

  const send = (response: ServerResponse, status: number, fields: readonly (readonly [string, string])[], body: Uint8Array | null): void => {
    for (const [name, value] of fields) response[wrong.lastValueOnly ? 'setHeader' : 'appendHeader'](name, value)
    response.statusCode = status
    if (status !== 204 && status !== 304) response.setHeader('content-length', body?.length ?? 0)
    response.end(status === 204 || status === 304 ? undefined : body)
    if (wrong.bodyOnHead && response.req.method === 'HEAD') response.socket?.write(body ?? '')
  }

  const serve = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const [path = '/', query] = (request.url ?? '/').split('?')
    const route = routes.find((one) => one.path === path && one.method === (request.method === 'HEAD' ? 'GET' : request.method))
    if (route === undefined) return send(response, 404, [], new Uint8Array())
    const body = await readAll(request, wrong.textBody === true, wrong.halfBody === true)
    const incoming: Incoming<IncomingMessage> = {
      method: request.method ?? 'GET',
      target: wrong.noQuery ? path : (request.url ?? '/'),
      route: path,
      field: (name) => values(request, name),
      body: async (limit) => (body.length > limit ? 'too-large' : body),
      requestId: getRequestId(),
      native: request,
    }
    const decision = route.idempotent ? await engine.begin(incoming) : { kind: 'pass' as const }
    if (decision.kind === 'reply' && wrong.closesAfterRefusal) response.shouldKeepAlive = false
    if (decision.kind === 'reply') return send(response, decision.response.status, decision.response.fields, decision.response.body)
    const ticket = decision.kind === 'run' ? decision.ticket : undefined
    const input = { body, requestId: getRequestId(), run: ticket, query: (name: string) => new URLSearchParams(query).get(name) ?? undefined }
    const output = await runInContext({ ...getContext(), ...(ticket !== undefined && { run: ticket }) }, () => route.handle(input)).catch(
      (error: unknown) => ({ kind: 'throw' as const, message: String(error) }),
    )
    if (wrong.stopWithClient && response.destroyed) return ticket?.abandon()
    const status = output.kind === 'throw' ? 500 : output.status
    const fields = output.kind === 'throw' ? [] : output.kind === 'json' ? [...output.fields, ['content-type', 'application/json'] as const] : output.fields
    const bytes = output.kind === 'json' ? Buffer.from(JSON.stringify(output.value)) : output.kind === 'bytes' ? output.bytes : new Uint8Array()
    const stored = wrong.fewFields ? fields.filter(([name]) => name === 'content-type') : fields
    const settling = ticket?.settle({ status, fields: stored, body: bytes.length > ticket.captureLimit ? null : bytes })
    const settled = wrong.answerFirst ? undefined : await settling
    if (settled?.kind === 'replace' && !wrong.sendStale) return send(response, settled.response.status, settled.response.fields, settled.response.body)
    send(response, status, fields, bytes)
  }

  return (request: IncomingMessage, response: ServerResponse): void => {
    const identity = ids.resolve(values(request, ids.header))
    response.setHeader(ids.header, identity.id)
    runInContext({ requestId: identity }, () => {
      serve(request, response).catch(() => response.destroy())
    })
  }
}

/** Runs the cases with these titles, or all. */
async function reportOf(wrong: Mistakes, titles?: readonly string[]): Promise<CasesReport> {
  const { cases } = adapterContract({
    name: 'broken',
    capabilities: { streams: 'it buffers', pipelining: true, parserFirst: 'it has no parser', expectContinue: true, drain: 'it is not attached' },
    boot: (setup) => {
      const server = createServer(listener(setup, wrong))
      if (wrong.refusesExpect) server.on('checkContinue', (_request, response: ServerResponse) => void response.writeHead(417).end())
      return bootServer(server)
    },
  })
  if (titles === undefined) return runCases(cases)
  const chosen = cases.filter(({ name }) => titles.some((title) => name === `broken: ${title}`))
  expect(chosen).toHaveLength(titles.length)
  // What a stopped handler leaves behind is a key in progress, for which a case of the contract would wait for ever.
  return runCases(chosen.map((one) => ({ ...one, run: () => within(2_000, one.run()) })))
}

function within<T>(milliseconds: number, work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined
  const over = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`not done within ${milliseconds} ms`)), milliseconds)
  })
  return Promise.race([work, over]).finally(() => clearTimeout(timer))
}

test('the adapter itself passes, so that what fails below fails for its mistake alone', async () => {
  expect((await reportOf({})).failed).toEqual([])
})

describe.each([
  ['textBody', ['the handler gets the very bytes of a body that is binary', 'the handler gets the very bytes of a body that is multipart']],
  ['firstValueOnly', ['a key that is a repeated field is refused', 'a repeated id is replaced']],
  ['answerFirst', ['the answer of /orders is not whole before its result is stored', 'an owner that lost its key neither stores nor sends its result']],
  ['stopWithClient', ['a client that goes away while the handler runs gets the result of that run on its retry']],
  ['noQuery', ['a key that comes again with another query is refused with 422']],
  ['onePrincipal', ['two callers with one key do not meet', 'a keyed request of an unknown caller is refused']],
  ['sendStale', ['an owner that lost its key neither stores nor sends its result']],
  ['lastValueOnly', ['a field that is there twice is replayed twice']],
  ['halfBody', ['a connection that is reset in the body claims nothing', 'a connection that ends before the body claims nothing']],
  ['closesAfterRefusal', ['one connection serves a run, its replay, each refusal and a request that is not protected, in order']],
  ['bodyOnHead', ['a HEAD request has the fields of its GET and no body, and its connection goes on']],
  ['refusesExpect', ['a body that waits for 100 Continue is asked for, and fingerprinted like every other']],
  ['caseSensitive', ['the name of the field may be written in any case']],
  ['fewFields', ['POST /orders (201) is answered twice with the same status, fields and bytes, and runs once']],
] as const)('an adapter with the mistake %s', (mistake, expected) => {
  let failed: string[] = []
  beforeAll(async () => {
    failed = (await reportOf({ [mistake]: true }, expected)).failed.map(({ name }) => name)
  })
  test.each(expected)('is caught by: %s', (title) => {
    expect(failed).toContain(`broken: ${title}`)
  })
})
