import type { Side, SideView, Snapshot } from '../snapshot.js'

/** What one side did between two samples. */
interface SideDelta {
  readonly requests: number
  readonly failed: number
}

/** One point of the page's chart: the time between the sample before and this one. */
export interface HistoryPoint extends Readonly<Record<Side, SideDelta>> {
  /** Milliseconds since the demo began, at the end of the interval. */
  readonly t: number
  readonly act: Snapshot['act']
}

/** The last points of a demo, oldest first. */
export interface History {
  /** Takes a sample. The first one is only the base of the next; after `done` nothing is added. */
  add(snapshot: Snapshot): void
  points(): readonly HistoryPoint[]
}

/**
 * Keeps the last `limit` points.
 * @param limit 600 points, which is five minutes at the page's 500 ms
 */
export function createHistory(limit = 600): History {
  const points: HistoryPoint[] = []
  let last: Snapshot | undefined
  return {
    add(snapshot) {
      if (last !== undefined) {
        if (last.act === 'done' || snapshot.elapsedMs <= last.elapsedMs) return
        points.push(pointBetween(last, snapshot))
        if (points.length > limit) points.shift()
      }
      last = snapshot
    },
    points: () => points,
  }
}

function pointBetween(before: Snapshot, after: Snapshot): HistoryPoint {
  return {
    t: after.elapsedMs,
    act: after.act,
    plain: delta(before.sides.plain, after.sides.plain),
    hopwise: delta(before.sides.hopwise, after.sides.hopwise),
  }
}

function delta(before: SideView, after: SideView): SideDelta {
  return { requests: after.requests - before.requests, failed: after.failed - before.failed }
}
