import { Events } from '../events.js'
import { formatDuration, type Duration } from '../duration.js'

/** What {@link sharedCheck} tells. */
interface CheckEvents {
  readonly failed: unknown
}

/** One check at a time, for all who ask meanwhile: probes that come faster than a slow check is done do not pile up. */
export function sharedCheck(check: () => boolean | Promise<boolean>, timeout: Duration, onFailed: (error: unknown) => void): () => Promise<boolean> {
  // For the way in which it deals with a listener that throws.
  const events = new Events<CheckEvents>()
  events.on('failed', onFailed)
  let running: Promise<boolean> | undefined
  return () => {
    running ??= runCheck(check, timeout, events).finally(() => {
      running = undefined
    })
    return running
  }
}

/** Never rejects. What a check throws after its time is not told: that it was late is. */
async function runCheck(check: () => boolean | Promise<boolean>, timeout: Duration, events: Events<CheckEvents>): Promise<boolean> {
  let timer: ReturnType<typeof setTimeout> | undefined
  const late = new Promise<never>((_resolve, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${formatDuration(timeout)}`)), timeout)
  })
  try {
    const passed: unknown = await Promise.race([check(), late])
    if (typeof passed !== 'boolean') throw new TypeError(`expected true or false, got ${typeof passed}`)
    return passed
  } catch (error) {
    events.emit('failed', () => error)
    return false
  } finally {
    clearTimeout(timer)
  }
}
