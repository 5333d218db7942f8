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

/** How a request with an Idempotency-Key, or without one that it needs, is turned away. */
export const keyRefusals = {
  'key-missing': { title: 'Idempotency-Key is missing', status: 400 },
  'key-invalid': { title: 'Idempotency-Key is invalid', status: 400 },
  'principal-missing': { title: 'The caller of a keyed request is not known', status: 400 },
  'key-in-progress': { title: 'The first request with this Idempotency-Key is still running', status: 409 },
  'outcome-unknown': { title: 'The first request with this Idempotency-Key ended without a known outcome', status: 409 },
  'body-too-large': { title: 'The request body is larger than an idempotent request may be', status: 413 },
  'key-reused': { title: 'Idempotency-Key was used for another request', status: 422 },
  'endless-stream': { title: 'A response without an end cannot be protected', status: 500 },
  'store-unavailable': { title: 'Idempotency keys cannot be checked now', status: 503 },
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
  readonly code: ErrorCode

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'HopwiseError'
    this.code = code
  }
}

/** The message of whatever was thrown, for events and logs. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}
