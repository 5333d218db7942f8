import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Duration } from '../duration.js'
import { withDeadline } from './deadline.js'
import { keepLease } from './lease.js'

const ms = (value: number) => value as Duration

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

function keep(renew: () => Promise<boolean>, lease = 30_000, maxRun = 900_000) {
  const calls: string[] = []
  const renewed = vi.fn(renew)
  const stop = keepLease(
    ms(lease),
    ms(maxRun),
    () => withDeadline(renewed, ms(500)),
    () => calls.push('lost'),
    () => calls.push('too long'),
    (error) => calls.push(`failed: ${error instanceof Error ? error.message : String(error)}`),
  )
  return { renewed, calls, stop }
}

describe('keepLease', () => {
  test('renews at each third of the lease, for the whole lease', async () => {
    const { renewed, calls } = keep(async () => true)
    await vi.advanceTimersByTimeAsync(9_999)
    expect(renewed).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    expect(renewed).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(20_000)
    expect(renewed).toHaveBeenCalledTimes(3)
    expect(calls).toEqual([])
  })

  test('stops where it is told to, and tells nothing then', async () => {
    const { renewed, calls, stop } = keep(async () => true)
    await vi.advanceTimersByTimeAsync(10_000)
    stop()
    stop()
    await vi.advanceTimersByTimeAsync(10_000_000)
    expect(renewed).toHaveBeenCalledTimes(1)
    expect(calls).toEqual([])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('what a renewal under way says after the stop is not told', async () => {
    for (const answer of [async () => false, () => Promise.reject(new Error('broken'))]) {
      let go = (): void => {}
      const waits = new Promise<void>((resolve) => {
        go = resolve
      })
      const { renewed, calls, stop } = keep(() => waits.then(answer))
      await vi.advanceTimersByTimeAsync(10_000)
      expect(renewed).toHaveBeenCalledTimes(1)
      stop()
      go()
      await vi.advanceTimersByTimeAsync(10_000)
      expect(calls).toEqual([])
    }
  })

  test('tells once that the key is lost, and renews no more', async () => {
    let held = true
    const { renewed, calls } = keep(async () => held)
    await vi.advanceTimersByTimeAsync(10_000)
    held = false
    await vi.advanceTimersByTimeAsync(10_000)
    expect(calls).toEqual(['lost'])
    await vi.advanceTimersByTimeAsync(10_000_000)
    expect(renewed).toHaveBeenCalledTimes(2)
    expect(calls).toEqual(['lost'])
  })

  test('tells each renewal that failed, and tries again at the next third', async () => {
    let attempt = 0
    const { renewed, calls } = keep(async () => {
      attempt++
      if (attempt <= 2) throw new Error(`broken ${attempt}`)
      return true
    })
    await vi.advanceTimersByTimeAsync(30_000)
    expect(renewed).toHaveBeenCalledTimes(3)
    expect(calls).toEqual(['failed: broken 1', 'failed: broken 2'])
  })

  test('a renewal that throws at once is a failed one', async () => {
    const { calls } = keep(() => {
      throw new Error('broken')
    })
    await vi.advanceTimersByTimeAsync(10_000)
    expect(calls).toEqual(['failed: broken'])
  })

  test('a renewal that hangs is told at the store\'s deadline, and the next one comes in time', async () => {
    const { renewed, calls } = keep(() => new Promise(() => {}))
    await vi.advanceTimersByTimeAsync(10_499)
    expect(calls).toEqual([])
    await vi.advanceTimersByTimeAsync(1)
    expect(calls).toEqual(['failed: the store did not answer within 500 ms'])
    await vi.advanceTimersByTimeAsync(9_500)
    expect(renewed).toHaveBeenCalledTimes(2)
  })

  test('ends with maxRun, tells it once, and leaves no timer behind', async () => {
    const { renewed, calls } = keep(async () => true, 30_000, 60_000)
    await vi.advanceTimersByTimeAsync(60_000)
    expect(renewed).toHaveBeenCalledTimes(6)
    expect(calls).toEqual([])
    await vi.advanceTimersByTimeAsync(10_000)
    expect(calls).toEqual(['too long'])
    await vi.advanceTimersByTimeAsync(10_000_000)
    expect(renewed).toHaveBeenCalledTimes(6)
    expect(calls).toEqual(['too long'])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('a maxRun below a third of the lease renews never', async () => {
    const { renewed, calls } = keep(async () => true, 30_000, 9_999)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(renewed).not.toHaveBeenCalled()
    expect(calls).toEqual(['too long'])
  })

  test('a third is rounded down, so that the third renewal does not come after the lease', async () => {
    const { renewed } = keep(async () => true, 100)
    await vi.advanceTimersByTimeAsync(33)
    expect(renewed).toHaveBeenCalledTimes(1)
    await vi.advanceTimersByTimeAsync(67)
    expect(renewed).toHaveBeenCalledTimes(3)
  })

  test('the last renewal\'s answer is told although renewing is over', async () => {
    const { calls } = keep(async () => false, 30_000, 10_000)
    await vi.advanceTimersByTimeAsync(10_000)
    expect(calls).toEqual(['lost'])
  })
})
