import type { Hop } from '@hopwise/node'

/**
 * Drains, and cuts what is left when one of the signals comes meanwhile. A signal that nobody listens to is left alone: it
 * ends the process, as ever.
 */
export async function drainOrCut(hop: Hop, signals: readonly NodeJS.Signals[]): Promise<void> {
  const cut = new AbortController()
  const onSignal = (): void => cut.abort()
  const heard = signals.filter((signal) => process.listenerCount(signal) > 0)
  for (const signal of heard) process.on(signal, onSignal)
  try {
    await hop.drain({ signal: cut.signal })
  } finally {
    for (const signal of heard) process.off(signal, onSignal)
  }
}
