import type { Clock } from '../clock.js'

/** A clock that goes on when it is told to. */
export interface ManualClock extends Clock {
  advance(ms: number): void
  /** How many timers are running. */
  readonly running: number
  /** How long the timers that were set would have waited, in the order in which they were set. */
  readonly asked: readonly number[]
  /** Resolves when there is a timer for exactly this time. */
  waitsFor(ms: number): Promise<void>
}

/** Makes a clock that stands still. */
export function manualClock(start = 1_000_000): ManualClock {
  let time = start
  const timers = new Set<{ readonly at: number; readonly ms: number; readonly callback: () => void }>()
  const asked: number[] = []
  const watchers = new Set<() => void>()
  return {
    asked,
    get running() {
      return timers.size
    },
    now: () => time,
    wall: () => time,
    after(ms, callback) {
      const timer = { at: time + ms, ms, callback }
      timers.add(timer)
      asked.push(ms)
      for (const watcher of watchers) watcher()
      return () => timers.delete(timer)
    },
    advance(ms) {
      time += ms
      for (const timer of [...timers].toSorted((a, b) => a.at - b.at)) {
        if (timer.at > time || !timers.delete(timer)) continue
        timer.callback()
      }
    },
    async waitsFor(ms) {
      while (![...timers].some((timer) => timer.ms === ms)) {
        await new Promise<void>((resolve) => {
          const watcher = (): void => {
            watchers.delete(watcher)
            resolve()
          }
          watchers.add(watcher)
        })
      }
    },
  }
}
