import type { ServerResponse } from 'node:http'

type Call = (...args: never[]) => unknown

/**
 * Nest 12 writes the header of an `@Sse()` handler one turn after it was called, whatever its interceptors are waiting
 * for. Keeps that back until the returned function is called; forgets it where somebody ends the response before.
 */
export function holdHeader(response: ServerResponse): () => void {
  let held = true
  const calls: (() => void)[] = []
  const hold = (name: 'writeHead' | 'flushHeaders' | 'write', given: unknown): void => {
    const original = (response[name] as Call).bind(response) as (...args: unknown[]) => unknown
    Object.assign(response, {
      [name]: (...args: unknown[]) => {
        if (!held) return original(...args)
        // By its name: the engine may have put a method of its own in front of this one by then.
        calls.push(() => (response[name] as (...args: unknown[]) => unknown)(...args))
        return given
      },
    })
  }
  hold('writeHead', response)
  hold('flushHeaders', undefined)
  hold('write', true)
  const end = response.end.bind(response) as (...args: unknown[]) => ServerResponse
  Object.assign(response, {
    end: (...args: unknown[]) => {
      held = false
      return end(...args)
    },
  })
  return () => {
    if (!held) return
    held = false
    for (const call of calls) call()
  }
}
