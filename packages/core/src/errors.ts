/** Thrown at the developer, at start or at the first request. */
const mistakes = {
  'option-unknown': { title: 'Unknown option' },
  'option-invalid': { title: 'Wrong value of an option' },
  'chain-invalid': { title: 'The chain of hops is not one' },
  'chain-breaks-rule': { title: 'A hop reuses connections for longer than the next one keeps them' },
  'body-already-read': { title: 'The request body was read before its fingerprint was taken' },
  'response-already-started': { title: 'The response began before the idempotency middleware ran' },
  'mounted-twice': { title: 'The idempotency middleware runs twice for one request' },
  'store-unusable': { title: 'The store cannot be used' },
  'runtime-unsupported': { title: 'The runtime lacks what this needs' },
  'lease-lost': { title: 'Another run has taken the key over' },
  'phase-invalid': { title: 'A phase has a wrong name' },
  'seal-unopened': { title: 'A stored response cannot be opened' },
} as const

/**
 * How a request with an Idempotency-Key, or without one that it needs, is turned away. `detail` is what the answer says
 * in full, where that is always the same; `retryAfter` is for `Retry-After` in seconds, where no better figure is known.
 */
export const keyRefusals = {
  'key-missing': { title: 'The key is missing', status: 400 },
  'key-invalid': { title: 'The key is invalid', status: 400, detail: 'Send 1 to 255 visible ASCII characters, quoted or without , ; " and \\' },
  'principal-missing': { title: 'A key needs a known caller', status: 400, detail: 'Authenticate first.' },
  'key-in-progress': { title: 'The first request still runs', status: 409, detail: 'Send the same request again later.', retryAfter: 1 },
  'outcome-unknown': { title: 'The server of the first request stopped', status: 409, detail: 'Look up what it did; this key will not run again.' },
  'body-too-large': { title: 'The request body is too large', status: 413 },
  'key-reused': { title: 'Another request needs another key', status: 422, detail: 'It had another method, target, content type or body.' },
  'endless-stream': { title: 'A text/event-stream cannot be replayed', status: 500, detail: 'Answer it without idempotency.' },
  'store-unavailable': { title: 'The store is not available', status: 503, detail: 'Send the same request again later.', retryAfter: 1 },
} as const

/** How a server turns a request or a connection away. */
const serverRefusals = {
  'request-timeout': { title: 'The request did not arrive in time', status: 408 },
  'server-full': { title: 'The server has as many connections as it takes', status: 503 },
  'server-stopping': { title: 'The server is about to end', status: 503 },
} as const

/**
 * The one table of everything that Hopwise refuses or throws. A row with a `status` becomes an HTTP answer
 * (a problem document, RFC 9457); one without is thrown at the developer. It is put together of three, so that a bundle
 * has only the rows that it uses.
 */
export const errorTable = /* @__PURE__ */ Object.assign({}, mistakes, keyRefusals, serverRefusals) satisfies Record<string, { readonly title: string; readonly status?: number }>

/** The stable code of a row of {@link errorTable}; never renamed within a major version. */
export type ErrorCode = keyof typeof errorTable

/** The codes that become HTTP answers. */
export type RefusalCode = {
  [Code in ErrorCode]: (typeof errorTable)[Code] extends { readonly status: number } ? Code : never
}[ErrorCode]

/** Thrown for a mistake in configuration or use. `code` is stable; `message` names what is wrong and what is allowed. */
export class HopwiseError extends Error {
  override readonly name = 'HopwiseError'
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.code = code
  }
}

/** The message of whatever was thrown, for events and logs. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
