import { HopwiseError } from '../errors.js'
import type { SavedPhases } from './store.js'

const name = /^[A-Za-z0-9._:-]{1,64}$/
/** The longest JSON text of one phase's value. */
const longestValue = 65_536

/** Runs a phase of a handler, or gives the value that an earlier run of it had. */
export type RunPhase = <T>(name: string, work: () => T | Promise<T>) => Promise<T>

/**
 * Makes the phases of one run: each is worked once a run, and skipped where an earlier run had finished it.
 * @param saved what an earlier run of the same key had finished
 * @param save saves a finished phase; gives whether the claim still holds
 * @param failed is told where a finished phase could not be saved
 */
export function createPhases(saved: SavedPhases, save: (phase: string, text: string) => Promise<boolean>, failed: (error: unknown) => undefined): RunPhase {
  const begun = new Map<string, unknown>(Object.entries(saved).map(([phase, text]) => [phase, JSON.parse(text)]))

  const workAndSave = async (phase: string, work: () => unknown): Promise<unknown> => {
    const value = await work()
    const saving = async (): Promise<boolean> => {
      const text = JSON.stringify(value) ?? 'null'
      if (text.length > longestValue) throw new RangeError(`phase ${phase} has more than ${longestValue} characters of JSON`)
      return save(phase, text)
    }
    // Where it could not be saved, what the phase did is done: the handler goes on, and a run after a crash would do it again.
    if ((await saving().catch(failed)) === false) throw new HopwiseError('lease-lost', `phase ${phase}: another run has the key by now`)
    return value
  }

  return async <T>(phase: string, work: () => T | Promise<T>): Promise<T> => {
    if (!name.test(phase)) throw new HopwiseError('phase-invalid', 'a phase name is 1 to 64 of A-Za-z0-9._:-')
    if (!begun.has(phase)) begun.set(phase, workAndSave(phase, work))
    return begun.get(phase) as T
  }
}
