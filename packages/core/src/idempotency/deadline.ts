import type { Duration } from '../duration.js'

/** Thrown where a store did not answer in time. The operation itself may still succeed later. */
export class StoreTimeout extends Error {
  override readonly name = 'StoreTimeout'
}

/** A timer that does not keep a process alive, on runtimes where timers do. Gives a function that stops it. */
export function lightTimer(callback: () => void, delay: number): () => void {
  const timer = setTimeout(callback, delay)
  ;(timer as { unref?: () => void }).unref?.()
  return () => clearTimeout(timer)
}

/** Begins an operation. One that throws instead of rejecting rejects all the same. */
export async function begun<T>(operation: () => T | Promise<T>): Promise<T> {
  return operation()
}

/**
 * The result of `operation`, or a {@link StoreTimeout} after `limit`. A result that comes later goes to `late`; an
 * error that comes later goes nowhere, since the time-out was already told.
 */
export function withDeadline<T>(operation: () => Promise<T>, limit: Duration, late?: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const result = begun(operation)
    const timer = setTimeout(() => {
      reject(new StoreTimeout(`the store did not answer within ${limit} ms`))
      result.then(late, () => {})
    }, limit)
    result.finally(() => clearTimeout(timer)).then(resolve, reject)
  })
}
