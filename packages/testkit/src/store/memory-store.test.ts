import { memoryStore, type Duration } from '@hopwise/core'
import { describe, expect, test } from 'vitest'
import { watchCases } from './cases/watch.js'
import { runCases, storeContract } from './index.js'

let time = 1_000_000
const clock = { advance: (by: Duration) => void (time += by) }
const create = async () => ({ store: memoryStore({ now: () => time }), close: async () => {} })
const { cases, skipped } = storeContract({ name: 'memoryStore', create, clock })

describe('memoryStore', () => {
  test.each(cases)('$name', ({ run }) => run())

  test('only the cases for shared data and notifications do not apply, and each says why', () => {
    const noHandle = 'supports.sharedData is not set: there is one handle only'
    const noWatch = 'supports.watch is not set: the store has no notifications'
    expect(skipped.map(({ name, reason }) => [name.replace('memoryStore: ', ''), reason])).toEqual([
      ['phases saved through one handle are seen, and added to, through the other', noHandle],
      ...watchCases.map(({ title }) => [title, noWatch]),
      ['of claims through two handles at once, one has the key', noHandle],
      ['of takers through two handles at once, one has the key', noHandle],
      ['what one handle holds and completes, the other sees', noHandle],
      ['what one handle releases, the other claims', noHandle],
      ['a takeover through one handle makes the holder at the other one stale', noHandle],
    ])
  })
})

describe('storeContract', () => {
  test('the names of the cases are unique', () => {
    const names = [...cases, ...skipped].map(({ name }) => name)
    expect(new Set(names).size).toBe(names.length)
  })

  test('flags select cases, and every case is either run or skipped', () => {
    const all = cases.length + skipped.length
    const most = storeContract({ name: 'x', create, clock, supports: { sharedData: true, watch: true } })
    expect([most.cases.length, most.skipped.length]).toEqual([all, 0])
    const least = storeContract({ name: 'x', create, clock, supports: { sweep: false, largeBody: false } })
    expect(least.cases.length + least.skipped.length).toBe(all)
    expect(least.skipped.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['x: a sweep removes at most its limit, and gives how many', 'x: replays a body of 1 MiB']),
    )
  })

  test('a store without a second handle fails the cases for shared data, and says why', async () => {
    const shared = storeContract({ name: 'x', create, clock, supports: { sharedData: true } })
    const report = await runCases(shared.cases)
    expect(report.failed.length).toBe(6)
    for (const { error } of report.failed) expect(error).toBe('supports.sharedData is set, but create() gave no "second"')
  })

  test('a store without "watch" fails the cases for it, and says why', async () => {
    const watching = storeContract({ name: 'x', create, clock, supports: { watch: true } })
    const report = await runCases(watching.cases)
    expect(report.failed.map(({ name }) => name)).toEqual(watchCases.filter(({ needs }) => needs === 'watch').map(({ title }) => `x: ${title}`))
    for (const { error } of report.failed) expect(error).toBe('supports.watch is set, but the store has no "watch"')
  })

  test('each case has a store of its own, which is closed whatever came of it', async () => {
    let open = 0
    let made = 0
    const counted = storeContract({
      name: 'x',
      clock,
      create: async () => {
        open++
        made++
        // Gives no store for every other case, so that it fails.
        const store = made % 2 === 0 ? memoryStore({ now: () => time }) : { ...memoryStore(), claim: () => Promise.reject(new Error('down')) }
        return { store, close: async () => void open-- }
      },
    })
    const report = await runCases(counted.cases)
    expect(report.passed.length).toBeGreaterThan(10)
    expect(report.failed.length).toBeGreaterThan(10)
    expect({ open, made }).toEqual({ open: 0, made: counted.cases.length })
  })

  test('runCases reports plain data: what passed, what failed, and why', async () => {
    const report = await runCases([
      { name: 'good', run: async () => {} },
      { name: 'bad', run: async () => Promise.reject(new Error('expected 1, got 2')) },
    ])
    expect(report).toEqual({ passed: ['good'], failed: [{ name: 'bad', error: 'expected 1, got 2' }] })
  })
})
