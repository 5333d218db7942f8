const idempotent = new Set(['GET', 'HEAD', 'OPTIONS', 'TRACE', 'PUT', 'DELETE', 'QUERY'])

/** Whether doing it twice is meant to be like doing it once (RFC 9110 9.2.2; QUERY: RFC 9110 16.1.1, its own definition). */
export function isIdempotent(method: string): boolean {
  return idempotent.has(method)
}

/** What fetch writes in capitals whatever the caller wrote (Fetch 2.2.1); others keep their case, as PATCH does. */
export function normalMethod(method: string): string {
  const upper = method.toUpperCase()
  return ['DELETE', 'GET', 'HEAD', 'OPTIONS', 'POST', 'PUT'].includes(upper) ? upper : method
}
