import { setImmediate as turn } from 'node:timers/promises'

/** Resolves once it is so; asked in each turn of the event loop. */
export async function until(isSo: () => boolean): Promise<void> {
  while (!isSo()) await turn()
}
