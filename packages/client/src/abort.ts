import type { Clock } from './clock.js'
import { follow, present, type Source } from './follower.js'

/** The error of a time that is over. */
export function timeoutError(what: string, ms: number): Error {
  const error = new Error(`${what} of ${ms} ms is over`)
  error.name = 'TimeoutError'
  return error
}

/** What `promise` gives, or a rejection with the signal's reason, whichever is first: not every runtime hurries when it is aborted. */
export async function untilAborted<T>(promise: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    const onAbort = (): void => reject(signal.reason)
    if (signal.aborted) return onAbort()
    signal.addEventListener('abort', onAbort, { once: true })
    stop = () => signal.removeEventListener('abort', onAbort)
  })
  // The one that is too late is nobody's: its rejection must not end the process.
  promise.catch(() => {})
  try {
    return await Promise.race([promise, aborted])
  } finally {
    stop()
  }
}

/** What `promise` gives, or a rejection with the reason of the first of the signals that is aborted. */
export async function untilAnyAborted<T>(promise: Promise<T>, sources: readonly Source[]): Promise<T> {
  if (present(sources).length === 0) return promise
  const { signal, release } = follow(sources)
  return untilAborted(promise, signal).finally(release)
}

/** Waits `ms`; rejects with the reason of a signal as soon as it is aborted. */
export async function pause(ms: number, sources: readonly Source[], clock: Clock): Promise<void> {
  let cancel = (): void => {}
  const waited = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve)
  })
  return untilAnyAborted(waited, sources).finally(cancel)
}
