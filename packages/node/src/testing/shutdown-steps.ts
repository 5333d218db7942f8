import { vi } from 'vitest'
import type { ShutdownReport } from '../index.js'

/** A hook that is never done. */
export const hang = (): Promise<void> => new Promise(() => {})

/** Name, outcome and error of each hook. */
export function outcomes({ hooks }: ShutdownReport): string[][] {
  return hooks.map(({ name, outcome, error }) => [name, outcome, ...(error === undefined ? [] : [error])])
}

/** Lets everything run that waits for promises only, while timers are fake. */
export async function turn(): Promise<void> {
  await vi.advanceTimersByTimeAsync(0)
}
