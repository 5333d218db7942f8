import { constants } from 'node:os'
import { errorText, functionField, parseOptions, valueField } from '@hopwise/core'
import type { DrainReport } from './events.js'

/** The options of `hop.listenSignals`. */
export interface SignalOptions {
  /** [['SIGTERM', 'SIGINT']] */
  readonly signals?: readonly NodeJS.Signals[]
  /** Runs after the drain and before the process ends: close databases and queues here. What it throws is told on standard error and the process ends with 1. */
  readonly afterDrain?: (report: DrainReport) => void | Promise<void>
}

/**
 * Drains at the first signal, then ends the process by that same signal, so that the parent sees what ended it
 * (128 + its number in a shell). A second signal ends it at once.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function listenSignals(drain: () => Promise<DrainReport>, options?: SignalOptions): () => void {
  const { signals, afterDrain } = parseOptions('listenSignals', options, {
    signals: {
      ...valueField<readonly NodeJS.Signals[]>('a list of signal names', (value) => Array.isArray(value) && value.every((name) => name in constants.signals)),
      default: ['SIGTERM', 'SIGINT'] as const,
    },
    afterDrain: functionField<NonNullable<SignalOptions['afterDrain']>>('a function'),
  })
  let draining = false

  const stopListening = (): void => {
    for (const signal of signals) process.off(signal, onSignal)
  }
  const onSignal = (signal: NodeJS.Signals): void => {
    if (draining) return endBy(signal)
    draining = true
    drain()
      .then((report) => afterDrain?.(report))
      .then(
        () => endBy(signal),
        (error: unknown) => {
          console.error(`hopwise: afterDrain failed: ${errorText(error)}`)
          process.exit(1)
        },
      )
  }
  const endBy = (signal: NodeJS.Signals): void => {
    stopListening()
    process.kill(process.pid, signal)
    // The first process of a container is spared by a signal that it does not handle.
    setImmediate(() => process.exit(128 + constants.signals[signal]))
  }

  for (const signal of signals) process.on(signal, onSignal)
  return stopListening
}
