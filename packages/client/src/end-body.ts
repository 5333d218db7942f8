interface Endable {
  on?: (event: 'error', listener: () => void) => unknown
  destroy?: () => unknown
  cancel?: () => unknown
  return?: () => unknown
}

/** Ends a body that nobody reads to its end: a stream of Node or of the web, or an iterator. Never throws. */
export function endBody(body: unknown): void {
  if (typeof body !== 'object' || body === null) return
  const { on, destroy, cancel, return: finish } = body as Endable
  const end = [destroy, cancel, finish].find((method) => typeof method === 'function')
  const ignore = (): void => {}
  try {
    // It may still fail: a file that cannot be opened tells it after destroy().
    if (end === destroy && typeof on === 'function') on.call(body, 'error', ignore)
    // A web stream that is being read rejects: whoever reads it ends it.
    const ending: unknown = end?.call(body)
    if (end !== destroy) void Promise.resolve(ending).catch(ignore)
  } catch {
    // Its own affair; the call has failed for another reason.
  }
}
