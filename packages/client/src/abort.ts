import type { Clock } from './clock.js'

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

/** Waits `ms`; rejects with the signal's reason as soon as it is aborted. */
export async function pause(ms: number, signal: AbortSignal | undefined, clock: Clock): Promise<void> {
  let cancel = (): void => {}
  const waited = new Promise<void>((resolve) => {
    cancel = clock.after(ms, resolve)
  })
  try {
    await (signal === undefined ? waited : untilAborted(waited, signal))
  } finally {
    cancel()
  }
}

/** One signal for several; `undefined` for none. */
export function anySignal(signals: readonly (AbortSignal | null | undefined)[]): AbortSignal | undefined {
  const given = signals.filter((signal) => signal !== null && signal !== undefined)
  return given.length > 1 ? AbortSignal.any(given) : given[0]
}
