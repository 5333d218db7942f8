import type { Evidence, Verdict } from './evidence.js'

/** What a failed call is known to have come to. */
export interface Failure {
  readonly verdict: Verdict
  readonly evidence: Evidence
  /** How often the request was given to the runtime. */
  readonly attempts: number
  /** Whether the call would have gone on, if the retry budget of its origin were not spent. */
  readonly budgetSpent: boolean
  readonly method: string
  readonly origin: string
  /** `'TimeoutError'` where a time of the client was over, `'AbortError'` or the reason's own name where the caller gave up. */
  readonly name?: string
  readonly cause: unknown
}

/**
 * How a call of Hopwise fails: a TypeError, as of fetch, that says what became of the request. `cause` is the runtime's own error, or
 * the reason of the signal, and `code` is the cause's. It says neither path nor query.
 */
export class RequestError extends TypeError {
  readonly verdict: Verdict
  /** Whether any attempt was sent; `'unknown'` where the runtime does not tell. `false`: nothing of the call can have reached a server. */
  readonly sent: boolean | 'unknown'
  /** Whether the last one that was sent was on a connection that had carried a request before. */
  readonly reused: boolean | 'unknown'
  /** How many bytes of that one's response have come, at least. */
  readonly responseBytes: number
  /** How often the request was given to the runtime. */
  readonly attempts: number
  /** Whether the call would have gone on, if the retry budget of its origin were not spent. */
  readonly budgetSpent: boolean
  /** The code of the error beneath, such as `ECONNRESET`. */
  readonly code: string | undefined

  constructor({ verdict, evidence, attempts, budgetSpent, method, origin, name, cause }: Failure) {
    const beneath = innermost(cause)
    super(`${method} ${origin}: ${verdict}, ${describe(evidence)}, ${attempts} ${attempts === 1 ? 'attempt' : 'attempts'}${budgetSpent ? ', retry budget spent' : ''}: ${withoutPaths(beneath.message)}`, { cause })
    this.name = typeof name === 'string' ? name : 'RequestError'
    this.verdict = verdict
    this.sent = evidence.sent
    this.reused = evidence.reused
    this.responseBytes = evidence.responseBytes
    this.attempts = attempts
    this.budgetSpent = budgetSpent
    this.code = beneath.code
  }
}

function describe({ sent, reused, responseBytes }: Evidence): string {
  if (sent === false) return 'not sent'
  if (sent === 'unknown') return 'maybe sent'
  const connection = reused === 'unknown' ? 'a connection' : reused ? 'a reused connection' : 'a new connection'
  return `sent on ${connection}, ${responseBytes} bytes of a response`
}

/** Runtimes may name the URL in their messages: Deno the path and the query, Node a password in it. */
const urls = /\bhttps?:\/\/\S+?(?=[).,:;]{0,2}(?:\s|$))/gi

function withoutPaths(message: string): string {
  return message.replaceAll(urls, (url) => (URL.canParse(url) ? new URL(url).origin : 'a URL'))
}

/** How many errors are looked at, one the cause of the other: the chain may be a ring. */
const mostCauses = 8

/** fetch says only "fetch failed"; what happened is in its cause. The reason of a signal may be anything at all. */
function innermost(error: unknown): { message: string; code?: string } {
  const beneath = causesOf(error).findLast(isError)
  if (beneath === undefined) return { message: textOf(error) }
  const [message, name, code] = ['message', 'name', 'code'].map((key) => read(beneath, key))
  return { message: message === '' ? textOf(name) : textOf(message ?? noWords), ...(typeof code === 'string' && { code }) }
}

/** The errors of an error, from the outermost to the innermost. Never throws, whatever it is given. */
export function causesOf(error: unknown): object[] {
  const causes: object[] = []
  let at = error
  while (typeof at === 'object' && at !== null && causes.length < mostCauses && !causes.includes(at)) {
    causes.push(at)
    at = read(at, 'cause')
  }
  return causes
}

/** A property of what somebody else has made, and whose getter may throw. */
function read(of: object, key: string): unknown {
  try {
    return (of as Readonly<Record<string, unknown>>)[key]
  } catch {
    return undefined
  }
}

/** The name of an error, such as the reason of a signal, which may be anything. Never throws. */
export function nameOf(error: unknown, otherwise: string): string {
  const name = typeof error === 'object' && error !== null && isError(error) ? read(error, 'name') : undefined
  return typeof name === 'string' ? name : otherwise
}

/** Not `instanceof` alone: it throws for a Proxy that was revoked. */
function isError(value: object): boolean {
  try {
    return value instanceof Error
  } catch {
    return false
  }
}

const noWords = 'an error that cannot be put into words'

function textOf(value: unknown): string {
  try {
    return String(value)
  } catch {
    return noWords
  }
}

/** Errors of TLS: they say who the other side is, and it is the same a moment later. */
const certificateCodes = [
  /^(?:ERR_TLS|ERR_SSL|CERT|CRL|UNABLE_TO|ERROR_IN_CERT)_/,
  /^(?:DEPTH_ZERO_SELF_SIGNED_CERT|SELF_SIGNED_CERT_IN_CHAIN|INVALID_CA|INVALID_PURPOSE|HOSTNAME_MISMATCH|PATH_LENGTH_EXCEEDED|EPROTO)$/,
]
/** Mistakes of the caller, and clients that were closed. */
const localCodes = [
  /^ERR_INVALID_/,
  /^UND_ERR_(?:INVALID_ARG|INVALID_RETURN_VALUE|NOT_SUPPORTED|DESTROYED|CLOSED|REQ_CONTENT_LENGTH_MISMATCH|MAX_ORIGINS_REACHED)$/,
]

/** What Node's fetch says of what it never sends, as the cause of "fetch failed" and without a code (Fetch, "main fetch" and "scheme fetch"). */
const neverSent = new Set<unknown>(['bad port', 'unknown scheme'])

/**
 * Whether the same attempt would fail in the same way again: a certificate that is not trusted, a wrong argument, a closed client, a port
 * or a scheme that fetch does not serve.
 */
export function isPermanent(error: unknown): boolean {
  const causes = causesOf(error)
  return causes.some((cause, depth) => {
    const code = read(cause, 'code')
    if (typeof code === 'string') return [...certificateCodes, ...localCodes].some((pattern) => pattern.test(code))
    const around = causes[depth - 1]
    return around !== undefined && read(around, 'message') === 'fetch failed' && neverSent.has(read(cause, 'message'))
  })
}

const nodeRefusal = 'Stream closed with error code NGHTTP2_REFUSED_STREAM'
const denoRefusal = 'stream error received: refused stream before processing any application logic'

/**
 * Whether an error says that the server refused the stream before it began (RFC 9113 8.7), as Node's http2 tells it, or as Deno does, whose
 * HTTP/2 says by "received" that it was the server's word (Deno 2.9.6).
 *
 * Node says ERR_HTTP2_STREAM_ERROR where the server has reset the stream, and where it is above the last id of a GOAWAY with NO_ERROR. A
 * GOAWAY with another code ends every stream of its session by ERR_HTTP2_SESSION_ERROR and that code, also those that the server has
 * served: not the code of the stream decides (undici 8 keeps it as `http2ErrorCode`), but what kind of error it is. Where undici or Deno
 * speak of a GOAWAY, they do not tell which id it named (measured, Node 20, 24 and 26, undici 6, 7 and 8).
 */
export function isRefusal(error: unknown): boolean {
  return causesOf(error).some((cause) => {
    const message = read(cause, 'message')
    return message === denoRefusal || (message === nodeRefusal && read(cause, 'code') === 'ERR_HTTP2_STREAM_ERROR')
  })
}
