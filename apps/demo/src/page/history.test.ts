import { describe, expect, it } from 'vitest'
import type { SideView, Snapshot } from '../snapshot.js'
import { createHistory } from './history.js'

function at(elapsedMs: number, requests: number, failed: number, act: Snapshot['act'] = 'deploy'): Snapshot {
  const side: SideView = { requests, failed, duplicates: 0, connectionsOpened: 0, requestsReused: 0, instances: [] }
  return { proxy: 'nginx', act, elapsedMs, sides: { plain: side, hopwise: { ...side, failed: 0 } }, results: [] }
}

describe('createHistory', () => {
  it('keeps what happened between two samples', () => {
    const history = createHistory()
    history.add(at(0, 10, 1))
    expect(history.points()).toEqual([])
    history.add(at(500, 30, 4))
    history.add(at(1000, 31, 4))
    expect(history.points()).toEqual([
      { t: 500, act: 'deploy', plain: { requests: 20, failed: 3 }, hopwise: { requests: 20, failed: 0 } },
      { t: 1000, act: 'deploy', plain: { requests: 1, failed: 0 }, hopwise: { requests: 1, failed: 0 } },
    ])
  })

  it('adds nothing for a sample of the same moment, and loses nothing by it', () => {
    const history = createHistory()
    for (const sample of [at(0, 0, 0), at(500, 5, 0), at(500, 9, 0), at(1000, 12, 0)]) history.add(sample)
    expect(history.points().map((point) => point.plain.requests)).toEqual([5, 7])
  })

  it('ends with the first sample that says done', () => {
    const history = createHistory()
    for (const sample of [at(0, 0, 0), at(500, 5, 0, 'done'), at(1000, 9, 0, 'done')]) history.add(sample)
    expect(history.points().map((point) => point.t)).toEqual([500])
  })

  it('forgets the oldest points beyond its limit, 600 if not told', () => {
    const history = createHistory()
    for (let i = 0; i <= 700; i += 1) history.add(at(i * 500, i, 0))
    expect(history.points()).toHaveLength(600)
    expect(history.points()[0]?.t).toBe(101 * 500)
  })
})
