import type { PlainResponse } from '../http.js'
import type { Ticket } from '../idempotency/index.js'
import { bodyCopy, joined } from './body-copy.js'
import { lookAhead } from './look-ahead.js'
import { fieldsOf } from './reply.js'

/**
 * Copies a handler's response on its way out, and holds back the end of it until `ticket.settle` has stored the copy. A
 * body that is there is sent whole then. One that is still being made flows at once, but for its last chunk, where the
 * end comes with it, else but for the end. A client that goes away does not stop the copy: the body is read on.
 * @param unread nobody will read the body, as that of a HEAD request
 * @param reply makes the response that takes the handler's place
 * @param finish is called once the result is stored, or there will be none
 */
export async function captureResponse(
  response: Response,
  ticket: Pick<Ticket, 'admit' | 'captureLimit' | 'settle' | 'abandon'>,
  unread: boolean,
  reply: (response: PlainResponse) => Response,
  finish: () => void,
): Promise<Response> {
  const { body, headers } = response
  const fields = fieldsOf(headers)
  const refusal = ticket.admit(fields)
  const { status } = refusal ?? response
  const settle = (kept: Uint8Array | null) => ticket.settle({ status, fields, body: kept })
  const settleWhole = async (kept: Uint8Array | null, whole: () => Response): Promise<Response> => {
    const settled = await settle(kept)
    finish()
    return settled.kind === 'send' ? whole() : reply(settled.response)
  }

  if (refusal) {
    body?.cancel().catch(() => {})
    return settleWhole(null, () => reply(refusal))
  }
  if (!body) return settleWhole(new Uint8Array(), () => response)

  const source = lookAhead(body)
  const copy = bodyCopy(ticket.captureLimit)
  const declared = Number(headers.get('content-length') ?? NaN)
  // To the client, the chunk that fills the declared length is the end.
  const ends = () => source.endsHere(unread || copy.size() >= declared)

  const gathered: Uint8Array[] = []
  try {
    let last: boolean | undefined
    do {
      const chunk = await source.take()
      if (!chunk) {
        const kept = copy.take()
        return settleWhole(kept, () => new Response(unread ? null : (kept ?? joined(gathered, copy.size())), response))
      }
      copy.add(chunk)
      if (!unread) gathered.push(chunk)
      last = await ends()
    } while (last !== undefined && (last || unread || copy.size() <= ticket.captureLimit))
  } catch {
    // What broke off is sent as far as it came, and cut.
  }

  async function* flow(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* gathered
      let last: boolean | undefined
      while (!last) {
        const chunk = await source.take()
        if (chunk) copy.add(chunk)
        last = !chunk || (await ends())
        // What was sent cannot be taken back, but it can be seen to be cut.
        if (last && (await settle(copy.take())).kind === 'replace') throw new Error('another run has the key by now')
        if (chunk) yield chunk
      }
    } catch (error) {
      ticket.abandon()
      throw error
    } finally {
      finish()
    }
  }

  const chunks = flow()
  /** Takes what is left where the client has gone: nobody is there to be told of an error. */
  const readOn = (): void => {
    chunks.next().then(({ done }) => {
      if (!done) readOn()
    }, () => {})
  }
  const flowing = new ReadableStream<Uint8Array>({
    pull: async (controller) => {
      const { done, value } = await chunks.next()
      if (done) controller.close()
      else controller.enqueue(value)
    },
    cancel: readOn,
  })
  return new Response(flowing, response)
}
