import { parseOptions } from '@hopwise/core'
import { JointShutdown, shutdownFields, type Drainable, type ShutdownOptions } from './shutdown.js'
import { signalFields, type SignalOptions } from './signals.js'

/** The options of `hop.listenSignals`: those of the signals, and those of a shutdown of this one server. */
export interface HopSignalOptions extends SignalOptions, ShutdownOptions {}

/**
 * `shutdownTogether([hop], options).listenSignals(options)`, with all options in one object.
 * @throws HopwiseError `option-unknown`, `option-invalid`
 */
export function listenHopSignals(hop: Drainable, options?: HopSignalOptions): () => void {
  const { signals, uncaughtException, ...shutdown } = parseOptions('listenSignals', options, { ...signalFields, ...shutdownFields })
  return new JointShutdown('listenSignals', [hop], shutdown).listenSignals({ signals, uncaughtException })
}
