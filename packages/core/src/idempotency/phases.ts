import type { Duration } from '../duration.js'
import { HopwiseError } from '../errors.js'
import { withDeadline } from './deadline.js'
import type { Claim, IdempotencyStore, SavedPhases } from './store.js'

const name = /^[A-Za-z0-9._:-]{1,64}$/
/** The longest JSON text of one phase's value. */
const longestValue = 65_536

/** What {@link createPhases} works with. */
export interface PhasesParts {
  readonly store: IdempotencyStore
  readonly claim: Claim
  /** What an earlier run of the same key had finished. */
  readonly saved: SavedPhases
  readonly storeDeadline: Duration
  /** A finished phase could not be saved. */
  readonly failed: (error: unknown) => void
}

/** Runs a phase of a handler, or gives the value that an earlier run of it had. */
export type RunPhase = <T>(name: string, work: () => T | Promise<T>) => Promise<T>

/** Makes the phases of one run: each is worked once a run, and skipped where an earlier run had finished it. */
export function createPhases({ store, claim, saved, storeDeadline, failed }: PhasesParts): RunPhase {
  const begun = new Map<string, Promise<unknown>>()

  const workAndSave = async (phase: string, work: () => unknown): Promise<unknown> => {
    if (Object.hasOwn(saved, phase)) return JSON.parse(saved[phase] ?? 'null')
    const value = await work()
    let held = true
    try {
      const text = JSON.stringify(value) ?? 'null'
      if (text.length > longestValue) throw new RangeError(`the value of phase ${phase} has more than ${longestValue} characters of JSON`)
      held = await withDeadline(() => store.savePhase(claim, phase, text), storeDeadline)
    } catch (error) {
      // What the phase did is done: the handler goes on, and a run after a crash would do it again.
      failed(error)
    }
    if (!held) throw new HopwiseError('lease-lost', `another run has taken the key over while phase ${phase} ran; this one must not go on`)
    return value
  }

  return <T>(phase: string, work: () => T | Promise<T>): Promise<T> => {
    if (!name.test(phase)) return Promise.reject(new HopwiseError('phase-invalid', 'a phase has a name of 1 to 64 of the characters A-Z a-z 0-9 . _ : -'))
    const running = begun.get(phase) ?? workAndSave(phase, work)
    begun.set(phase, running)
    return running as Promise<T>
  }
}
