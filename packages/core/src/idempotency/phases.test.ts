import { describe, expect, test, vi } from 'vitest'
import type { IdempotencyStore } from './store.js'
import { bench, created, incoming } from './testing/engine-bench.js'

describe('phases', () => {
  test('a run that takes over skips what was finished and gets its values', async () => {
    const { run, pass } = bench({ lease: '1s' })
    const charge = vi.fn(async () => ({ id: 'ch_1', cents: 990 }))
    const mail = vi.fn(async () => 'sent')
    const crashed = await run()
    expect(await crashed.phase('charge', charge)).toEqual({ id: 'ch_1', cents: 990 })
    crashed.abandon()
    pass(1_001)
    const second = await run()
    expect(second.attempt).toBe(2)
    expect(await second.phase('charge', charge)).toEqual({ id: 'ch_1', cents: 990 })
    expect(await second.phase('mail', mail)).toBe('sent')
    expect([charge, mail].map((work) => work.mock.calls.length)).toEqual([1, 1])
    expect(await second.settle(created)).toEqual({ kind: 'send' })
  })

  test('a phase that throws is not finished', async () => {
    const { run, pass } = bench({ lease: '1s' })
    const first = await run()
    await expect(first.phase('charge', () => Promise.reject(new Error('declined')))).rejects.toThrow('declined')
    first.abandon()
    pass(1_001)
    expect(await (await run()).phase('charge', () => 'charged')).toBe('charged')
  })

  test('a name is worked once a run, at the same time and later', async () => {
    const { run } = bench()
    const ticket = await run()
    const work = vi.fn(async () => 1)
    expect(await Promise.all([ticket.phase('a', work), ticket.phase('a', work)])).toEqual([1, 1])
    expect(await ticket.phase('a', work)).toBe(1)
    expect(work).toHaveBeenCalledTimes(1)
  })

  test('a value that is not there comes back as null', async () => {
    const { run, pass } = bench({ lease: '1s' })
    const first = await run()
    expect(await first.phase('mail', () => undefined)).toBeUndefined()
    first.abandon()
    pass(1_001)
    expect(await (await run()).phase('mail', () => 'again')).toBeNull()
  })

  test('a run that lost the key is stopped at its next phase', async () => {
    const { run, pass } = bench({ lease: '1s' })
    const stale = await run()
    stale.abandon()
    pass(1_001)
    await run()
    await expect(stale.phase('charge', () => 1)).rejects.toMatchObject({ code: 'lease-lost' })
  })

  test.each([
    ['a store that fails', { savePhase: () => Promise.reject(new Error('away')) }, () => '1'],
    ['a value over the limit', {}, () => 'x'.repeat(65_536)],
    ['a value that JSON does not know', {}, () => 10n],
  ] as [string, Partial<IdempotencyStore>, () => string | bigint][])('%s: the handler goes on, and it is told', async (_what, broken, work) => {
    const { run, told } = bench({}, (store) => ({ ...store, ...broken }))
    expect(await (await run()).phase('charge', work)).toBe(work())
    expect(told.at(-1)).toMatchObject({ name: 'store-error', event: { operation: 'save-phase' } })
  })

  test.each(['', 'x'.repeat(65), 'with space', 'é'])('a wrong name is an error before the work: %j', async (name) => {
    const work = vi.fn()
    await expect((await bench().run()).phase(name, work)).rejects.toMatchObject({ code: 'phase-invalid' })
    expect(work).not.toHaveBeenCalled()
  })
})

describe('deriveKey', () => {
  test('is the same in every run of a key, and another for each name, key and caller', async () => {
    const { run, pass } = bench({ lease: '1s', scope: 'principal', principal: () => 'alice' })
    const first = await run()
    const key = await first.deriveKey('charge')
    expect(key).toMatch(/^[0-9a-f]{64}$/)
    first.abandon()
    pass(1_001)
    const again = await run()
    expect(await again.deriveKey('charge')).toBe(key)
    const others = [await again.deriveKey('refund'), await (await run(incoming({ key: 'key-2' }))).deriveKey('charge')]
    const mallory = bench({ scope: 'principal', principal: () => 'mallory' })
    others.push(await (await mallory.run()).deriveKey('charge'))
    expect(new Set([key, ...others]).size).toBe(4)
  })
})
