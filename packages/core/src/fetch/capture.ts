import type { PlainResponse } from '../http.js'
import type { Ticket } from '../idempotency/index.js'
import { BodyCopy, joined } from './body-copy.js'
import { LookAhead } from './look-ahead.js'
import { fieldsOf } from './reply.js'

/** What {@link captureResponse} works with. */
export interface CaptureParts {
  readonly response: Response
  readonly ticket: Pick<Ticket, 'admit' | 'captureLimit' | 'settle' | 'abandon'>
  /** Makes the response that takes the handler's place. */
  readonly reply: (response: PlainResponse) => Response
  /** Nobody will read the body, as that of a HEAD request. */
  readonly unread: boolean
}

/** What is to be sent, and when the result is stored. */
export interface Captured {
  readonly response: Response
  /** Resolves once the result is stored, or there will be none. Never rejects. */
  readonly over: Promise<void>
}

/**
 * Copies a handler's response on its way out, and holds back the end of it until `ticket.settle` has stored the copy. A
 * body that is there is sent whole then. One that is still being made flows at once, but for its last chunk, where the
 * end comes with it, else but for the end. A client that goes away does not stop the copy: the body is read on.
 */
export async function captureResponse({ response, ticket, reply, unread }: CaptureParts): Promise<Captured> {
  const { status, body } = response
  const fields = fieldsOf(response.headers)
  const refusal = ticket.admit(fields)
  if (refusal !== undefined) {
    body?.cancel().catch(() => {})
    return { response: reply(refusal), over: ticket.settle({ status: refusal.status, fields: [], body: null }).then(() => {}) }
  }
  if (body === null) {
    const settled = await ticket.settle({ status, fields, body: new Uint8Array() })
    return { response: settled.kind === 'send' ? response : reply(settled.response), over: Promise.resolve() }
  }

  const source = new LookAhead(body)
  const copy = new BodyCopy(ticket.captureLimit)
  const declared = Number(response.headers.get('content-length') ?? Number.NaN)
  // To the client, the chunk that fills the declared length is the end.
  const ends = () => source.endsHere(unread || copy.size >= declared)

  const gathered: Uint8Array[] = []
  let first = await source.take()
  while (first.kind === 'chunk') {
    copy.add(first.bytes)
    if (!unread) gathered.push(first.bytes)
    const last = await ends()
    if (last === undefined || (last === false && copy.size > ticket.captureLimit && !unread)) break
    first = await source.take()
  }
  if (first.kind === 'end') {
    const kept = copy.take()
    const settled = await ticket.settle({ status, fields, body: kept })
    const whole = unread ? null : (kept ?? joined(gathered))
    return { response: settled.kind === 'send' ? new Response(whole, response) : reply(settled.response), over: Promise.resolve() }
  }

  async function* flow(): AsyncGenerator<Uint8Array, void> {
    const settle = async (): Promise<void> => {
      const settled = await ticket.settle({ status, fields, body: copy.take() })
      // What was sent cannot be taken back, but it can be seen to be cut.
      if (settled.kind === 'replace') throw new Error('another run has the key by now')
    }
    yield* gathered
    for (let piece = first.kind === 'error' ? first : await source.take(); piece.kind !== 'end'; piece = await source.take()) {
      if (piece.kind === 'error') {
        ticket.abandon()
        throw piece.error
      }
      copy.add(piece.bytes)
      const last = await ends()
      if (last === true) await settle()
      yield piece.bytes
      if (last === true) return
    }
    await settle()
  }
  return streamed(flow(), response)
}

/** A response whose body is these chunks. They are taken as the client takes them, and to their end where it has gone. */
function streamed(chunks: AsyncGenerator<Uint8Array, void>, response: Response): Captured {
  let finish: () => void = () => {}
  const over = new Promise<void>((resolve) => {
    finish = resolve
  })
  const next = async (): Promise<Uint8Array | undefined> => {
    try {
      const { done, value } = await chunks.next()
      if (done !== true) return value
      finish()
      return undefined
    } catch (error) {
      finish()
      throw error
    }
  }
  const readOn = async (): Promise<void> => {
    while ((await next()) !== undefined);
  }
  const body = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const chunk = await next()
      if (chunk === undefined) controller.close()
      else controller.enqueue(chunk)
    },
    cancel: () => {
      // Nobody is there to be told.
      readOn().catch(() => {})
    },
  })
  return { response: new Response(body, response), over }
}
