import type { Duration } from '../duration.js'

/** Thrown where a store did not answer in time. The operation itself may still succeed later. */
export class StoreTimeout extends Error {
  constructor(limit: Duration) {
    super(`the store did not answer within ${limit} ms`)
    this.name = 'StoreTimeout'
  }
}

/** A timer that does not keep a process alive, on runtimes where timers do. Gives a function that stops it. */
export function lightTimer(callback: () => void, delay: number): () => void {
  const timer = setTimeout(callback, delay) as { unref?: () => void } | number
  if (typeof timer === 'object') timer.unref?.()
  return () => clearTimeout(timer as number)
}

/**
 * The result of `operation`, or a {@link StoreTimeout} after `limit`. A result that comes later goes to `late`; an
 * error that comes later goes nowhere, since the time-out was already told.
 */
export function withDeadline<T>(operation: () => Promise<T>, limit: Duration, late?: (value: T) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    let over = false
    const timer = setTimeout(() => {
      over = true
      reject(new StoreTimeout(limit))
    }, limit)
    ;(async () => operation())().then(
      (value) => {
        clearTimeout(timer)
        if (over) late?.(value)
        else resolve(value)
      },
      (error: unknown) => {
        clearTimeout(timer)
        reject(error)
      },
    )
  })
}
