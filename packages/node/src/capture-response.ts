import type { OutgoingHttpHeader, OutgoingHttpHeaders, ServerResponse } from 'node:http'
import type { Fields, PlainResponse, Ticket } from '@hopwise/core'
import { BodyCopy } from './body-copy.js'
import { writeReply } from './reply.js'

type Callback = (error?: Error | null) => void
type Chunk = string | Uint8Array
type HeadArguments = [status: number, ...rest: (string | OutgoingHttpHeaders | OutgoingHttpHeader[])[]]
type Write = (chunk: Chunk, encoding?: BufferEncoding | Callback, callback?: Callback) => boolean

/**
 * Copies a response as its handler writes it, and holds back its last piece until `ticket.settle` has stored the copy:
 * everything before flows at once. The last piece is what `end()` brings, or the write that fills a declared
 * Content-Length. A client that goes away does not stop the copy: writes go nowhere then, and the handler sees
 * neither 'close' nor `destroyed` and `closed` until it is done: `pipeline()` would give up at once.
 */
export function captureResponse(response: ServerResponse, ticket: Pick<Ticket, 'admit' | 'captureLimit' | 'settle' | 'abandon'>): void {
  const copy = new BodyCopy(ticket.captureLimit)
  const original = {
    writeHead: response.writeHead.bind(response) as (...head: HeadArguments) => ServerResponse,
    write: response.write.bind(response) as Write,
    end: response.end.bind(response) as (chunk?: Chunk | null, encoding?: BufferEncoding, callback?: Callback) => ServerResponse,
    flushHeaders: response.flushHeaders.bind(response),
    destroy: response.destroy.bind(response),
    emit: response.emit.bind(response),
  }
  let head: { status: number; fields: Fields } | undefined
  /** The handler has called writeHead, and Node has not: nothing is written yet, so another answer can take its place. */
  let headDeferred = false
  /** Node itself is at work below us, and what it calls is meant for it. */
  let below = false
  /** `'refused'`: another answer has taken its place, and what the handler writes goes nowhere. */
  let phase: 'open' | 'holding' | 'settled' | 'refused' = 'open'
  let ended = false
  /** The client is gone, and the handler is not to know yet. */
  let gone = false
  const earlier = response.getHeaders()
  /** What is to be sent once the copy is stored, in order. */
  const held: (() => void)[] = []

  /** Takes the head once; `undefined` where the response is refused for it. */
  const takeHead = () => {
    if (head !== undefined || phase === 'refused') return head
    const fields = fieldsOf(response as ServerResponse & RawHeaderNames)
    const refusal = ticket.admit(fields)
    if (refusal === undefined) return (head = { status: response.statusCode, fields })
    phase = 'refused'
    void ticket.settle({ status: refusal.status, fields: [], body: null })
    replace(refusal)
    return undefined
  }

  const goBelow = <T>(work: () => T): T => {
    stopPretending(response, 'headersSent')
    below = true
    try {
      return work()
    } finally {
      below = false
    }
  }

  const hold = (send: () => void): void => {
    held.push(send)
    if (phase === 'holding') return
    const taken = takeHead()
    if (taken === undefined) return
    phase = 'holding'
    const began = response.headersSent && !headDeferred
    // To the handler the response is over, as it would be without us.
    pretend(response, 'headersSent', true)
    void ticket.settle({ ...taken, body: copy.take() }).then((settled) => {
      phase = 'settled'
      headDeferred = false
      stopPretending(response, 'headersSent')
      stopPretending(response, 'writableEnded')
      if (gone) showClosed(response)
      try {
        if (settled.kind === 'send') for (const next of held) next()
        // Another owner has the key by now. What was sent cannot be taken back, but it can be seen to be cut.
        else if (began) response.destroy()
        else replace(settled.response)
      } catch (error) {
        // A status or a field that Node refuses; the handler, which should have been told, is gone.
        response.destroy(error as Error)
      }
      if (gone) original.emit('close')
    })
  }

  const replace = (other: PlainResponse): void => {
    for (const name of response.getHeaderNames()) response.removeHeader(name)
    mergeHeaders(response, earlier)
    response.statusMessage = ''
    goBelow(() => writeReply(response, other))
  }

  const writeHead = (...args: HeadArguments): ServerResponse => {
    const [status, ...rest] = args
    if (phase === 'refused' && !below) return response
    // Twice, or with a status that is none: Node has the error for it.
    if (phase !== 'open' || below || headDeferred || !Number.isInteger(status) || status < 100 || status > 999) {
      if (headDeferred && !below) goBelow(() => original.writeHead(response.statusCode))
      return original.writeHead(...args)
    }
    if (typeof rest[0] === 'string') response.statusMessage = rest[0]
    mergeHeaders(response, rest.at(-1))
    response.statusCode = status
    if (takeHead() === undefined) return response
    headDeferred = true
    pretend(response, 'headersSent', true)
    return response
  }

  const flushHeaders = (): void => {
    if (takeHead() === undefined) return
    goBelow(original.flushHeaders)
    headDeferred = false
  }

  const write: Write = (chunk, encodingOrCallback, lastArgument) => {
    const { encoding, callback } = readArguments(encodingOrCallback, lastArgument)
    if (phase === 'settled' || below) return original.write(chunk, encoding, callback)
    if (takeHead() === undefined) {
      if (callback !== undefined) queueMicrotask(callback)
      return true
    }
    copy.add(chunk, encoding)
    const send = () => void (gone ? callback?.() : original.write(chunk, encoding, callback))
    const declared = Number(response.getHeader('content-length') ?? Number.NaN)
    if (phase === 'holding' || copy.size >= declared) {
      hold(send)
      return true
    }
    if (gone) {
      if (callback !== undefined) queueMicrotask(callback)
      return true
    }
    const more = goBelow(() => original.write(chunk, encoding, callback))
    headDeferred = false
    return more
  }

  const end = (chunkOrCallback?: Chunk | null | Callback, encodingOrCallback?: BufferEncoding | Callback, lastArgument?: Callback): ServerResponse => {
    const given = typeof chunkOrCallback === 'function' ? { chunk: undefined, ...readArguments(chunkOrCallback) } : { chunk: chunkOrCallback, ...readArguments(encodingOrCallback, lastArgument) }
    if (phase === 'settled' || below) return original.end(given.chunk, given.encoding, given.callback)
    if (ended || takeHead() === undefined) return response
    ended = true
    if (given.chunk !== undefined && given.chunk !== null) copy.add(given.chunk, given.encoding)
    pretend(response, 'writableEnded', true)
    hold(() => void original.end(given.chunk, given.encoding, given.callback))
    return response
  }

  const emit = (event: string | symbol, ...args: unknown[]): boolean => {
    if (event !== 'close' || phase === 'settled' || phase === 'refused') return original.emit(event, ...args)
    gone = true
    // Cut from this side, with no sign from the client: the handler gave up.
    const { socket } = response.req
    if (phase === 'open' && socket.errored === null && !socket.readableEnded) {
      giveUp()
      return true
    }
    response.destroyed = false
    pretend(response, 'closed', false)
    return true
  }

  /** The handler gives up: there will be no result. */
  const giveUp = (): void => {
    ticket.abandon()
    phase = 'settled'
    if (!gone) return
    showClosed(response)
    original.emit('close')
  }

  const destroy = (error?: Error): ServerResponse => {
    if (phase === 'open') giveUp()
    return original.destroy(error)
  }

  Object.assign(response, { writeHead, flushHeaders, write, end, destroy, emit })
}

function readArguments(encodingOrCallback?: BufferEncoding | Callback, lastArgument?: Callback) {
  if (typeof encodingOrCallback === 'function') return { encoding: undefined, callback: encodingOrCallback }
  return { encoding: encodingOrCallback, callback: lastArgument }
}

/** In Node since 15.4 for every outgoing message; the types know it for requests only. */
interface RawHeaderNames {
  getRawHeaderNames(): string[]
}

/** The fields that were set, names as they were written, repeated ones apart. */
function fieldsOf(response: ServerResponse & RawHeaderNames): Fields {
  return response.getRawHeaderNames().flatMap((name) => {
    const value = response.getHeader(name)
    if (value === undefined) return []
    return Array.isArray(value) ? value.map((entry) => [name, entry] as const) : [[name, String(value)] as const]
  })
}

/** Puts the headers of `writeHead` among those that were set before, so that there is one place to read them from. */
function mergeHeaders(response: ServerResponse, headers: string | OutgoingHttpHeaders | OutgoingHttpHeader[] | undefined): void {
  if (typeof headers !== 'object' || headers === null) return
  if (!Array.isArray(headers)) {
    for (const [name, value] of Object.entries(headers)) if (value !== undefined) response.setHeader(name, value)
    return
  }
  const pairs = headers.flatMap((name, index) => (index % 2 === 0 ? [[String(name), headers[index + 1] ?? ''] as const] : []))
  for (const [name] of pairs) response.removeHeader(name)
  for (const [name, value] of pairs) response.appendHeader(name, Array.isArray(value) ? value : String(value))
}

function showClosed(response: ServerResponse): void {
  response.destroyed = true
  stopPretending(response, 'closed')
}

function pretend(response: ServerResponse, property: 'headersSent' | 'writableEnded' | 'closed', value: boolean): void {
  Object.defineProperty(response, property, { configurable: true, value })
}

function stopPretending(response: ServerResponse, property: 'headersSent' | 'writableEnded' | 'closed'): void {
  Reflect.deleteProperty(response, property)
}
