import { IdempotencyObject } from '../durable-object/object.js'

/** How far ahead of the real clock {@link ClockedObject} is; objects and tests run in one isolate. */
export const objectClock = { ahead: 0 }

/** The object with a clock that tests move on. */
export class ClockedObject extends IdempotencyObject {
  protected override now(): number {
    return Date.now() + objectClock.ahead
  }

  waiting(): number {
    return this.waiters.count()
  }
}

const worker: ExportedHandler = { fetch: () => new Response('for tests') }

export { IdempotencyObject, worker as default }
