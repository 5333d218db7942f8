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
  /** Whether the last attempt was sent; `'unknown'` where the runtime does not tell. */
  readonly sent: boolean | 'unknown'
  /** Whether it was sent on a connection that had carried a request before. */
  readonly reused: boolean | 'unknown'
  /** How many bytes of its response have come, at least. */
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
    this.name = name ?? 'RequestError'
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

/** fetch says only "fetch failed"; what happened is in its cause. */
function innermost(error: unknown): { message: string; code?: string } {
  if (!(error instanceof Error)) return { message: String(error) }
  if (error.cause instanceof Error) return innermost(error.cause)
  const code: unknown = 'code' in error ? error.code : undefined
  return { message: error.message === '' ? error.name : error.message, ...(typeof code === 'string' && { code }) }
}

/** The errors of an error, from the outermost to the innermost. */
export function causesOf(error: unknown): object[] {
  const causes: object[] = []
  let at = error
  while (typeof at === 'object' && at !== null && causes.length < 8) {
    causes.push(at)
    at = 'cause' in at ? at.cause : undefined
  }
  return causes
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

/** Whether the same attempt would fail in the same way again: a certificate that is not trusted, a wrong argument, a closed client. */
export function isPermanent(error: unknown): boolean {
  return causesOf(error).some((cause) => {
    const code: unknown = 'code' in cause ? cause.code : undefined
    return typeof code === 'string' && [...certificateCodes, ...localCodes].some((pattern) => pattern.test(code))
  })
}

const denoRefusal = 'stream error received: refused stream before processing any application logic'

/**
 * Whether an error says that the server refused the stream before it began (RFC 9113 8.7): REFUSED_STREAM as Node's http2 tells it,
 * as undici 8 does, or as Deno does, whose HTTP/2 says by "received" that it was the server's word (Deno 2.9.6). Deno does not tell which
 * id a GOAWAY named.
 */
export function isRefusal(error: unknown): boolean {
  return causesOf(error).some((cause) => {
    if ('http2ErrorCode' in cause && cause.http2ErrorCode === 7) return true
    if ('message' in cause && cause.message === denoRefusal) return true
    return 'code' in cause && cause.code === 'ERR_HTTP2_STREAM_ERROR' && cause instanceof Error && cause.message.includes('NGHTTP2_REFUSED_STREAM')
  })
}
