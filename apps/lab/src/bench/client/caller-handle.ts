import { startLabChild } from '../../lab-child.js'
import type { ContestantName } from './contestants.js'
import type { FromCaller, RoundOrder } from './messages.js'

/** A contestant's process. */
export interface Caller {
  readonly ready: Promise<unknown>
  /**
   * Does one round.
   * @throws Error where a call failed, or the process ended
   */
  measure(order: RoundOrder): Promise<{ readonly wallUs: number; readonly cpuUs: number }>
  kill(): void
}

/** Starts it. */
export function startCaller(name: ContestantName, origin: string): Caller {
  const child = startLabChild<FromCaller, RoundOrder>(process.execPath, new URL('caller.js', import.meta.url), { name, origin })
  let waiting: { resolve(measured: { wallUs: number; cpuUs: number }): void; reject(error: Error): void } | undefined
  child.on('measured', (message) => waiting?.resolve(message))
  child.on('failed', ({ message }) => waiting?.reject(new Error(`${name}: ${message}`)))
  void child.exited.then(() => waiting?.reject(new Error(`${name}: its process has ended`)))
  return {
    ready: child.next('ready'),
    measure: (order) =>
      new Promise((resolve, reject) => {
        waiting = { resolve, reject }
        child.tell(order)
      }),
    kill: () => child.kill('SIGKILL'),
  }
}
