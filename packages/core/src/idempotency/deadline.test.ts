import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { Duration } from '../duration.js'
import { lightTimer, StoreTimeout, withDeadline } from './deadline.js'

const limit = 500 as Duration

beforeEach(() => {
  vi.useFakeTimers()
})
afterEach(() => {
  vi.useRealTimers()
})

/** A promise that is settled from outside. */
function deferred<T>() {
  let resolve: (value: T) => void = () => {}
  let reject: (error: unknown) => void = () => {}
  const promise = new Promise<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

describe('withDeadline', () => {
  test('gives the result of an operation in time, and leaves no timer behind', async () => {
    const late = vi.fn()
    expect(await withDeadline(async () => 'value', limit, late)).toBe('value')
    expect(vi.getTimerCount()).toBe(0)
    expect(late).not.toHaveBeenCalled()
  })

  test('gives an error in time as it is, and leaves no timer behind', async () => {
    const broken = new Error('broken')
    await expect(withDeadline(() => Promise.reject(broken), limit)).rejects.toBe(broken)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('an operation that throws at once is a rejection', async () => {
    const broken = new Error('broken')
    const result = withDeadline(() => {
      throw broken
    }, limit)
    await expect(result).rejects.toBe(broken)
    expect(vi.getTimerCount()).toBe(0)
  })

  test('rejects at the limit, not before', async () => {
    const settled = vi.fn()
    const result = withDeadline(() => deferred<string>().promise, limit)
    result.catch(settled)
    await vi.advanceTimersByTimeAsync(499)
    expect(settled).not.toHaveBeenCalled()
    await vi.advanceTimersByTimeAsync(1)
    const error: unknown = settled.mock.calls[0]?.[0]
    expect(error).toBeInstanceOf(StoreTimeout)
    expect(error).toMatchObject({ name: 'StoreTimeout', message: 'the store did not answer within 500 ms' })
  })

  test('a result just within the limit counts', async () => {
    const late = vi.fn()
    const operation = deferred<string>()
    const result = withDeadline(() => operation.promise, limit, late)
    await vi.advanceTimersByTimeAsync(499)
    operation.resolve('just in time')
    expect(await result).toBe('just in time')
    await vi.advanceTimersByTimeAsync(1_000)
    expect(late).not.toHaveBeenCalled()
  })

  test('a result that comes later goes to `late`, once, and changes nothing else', async () => {
    const late = vi.fn()
    const operation = deferred<string>()
    const told = vi.fn()
    withDeadline(() => operation.promise, limit, late).then(told, told)
    await vi.advanceTimersByTimeAsync(500)
    expect(told.mock.calls).toEqual([[expect.any(StoreTimeout)]])
    expect(late).not.toHaveBeenCalled()
    operation.resolve('too late')
    await vi.advanceTimersByTimeAsync(0)
    expect(late.mock.calls).toEqual([['too late']])
    expect(told).toHaveBeenCalledTimes(1)
  })

  test('an error that comes later goes nowhere: an unhandled rejection would fail this run', async () => {
    const late = vi.fn()
    const operation = deferred<string>()
    const told = vi.fn()
    withDeadline(() => operation.promise, limit, late).then(told, told)
    await vi.advanceTimersByTimeAsync(500)
    operation.reject(new Error('broken, later'))
    await vi.advanceTimersByTimeAsync(1_000)
    expect(told.mock.calls).toEqual([[expect.any(StoreTimeout)]])
    expect(late).not.toHaveBeenCalled()
  })
})

describe('lightTimer', () => {
  test('calls back once after the delay', () => {
    const callback = vi.fn()
    lightTimer(callback, 100)
    vi.advanceTimersByTime(99)
    expect(callback).not.toHaveBeenCalled()
    vi.advanceTimersByTime(1_000)
    expect(callback).toHaveBeenCalledTimes(1)
  })

  test('does not call back once it was stopped', () => {
    const callback = vi.fn()
    const stop = lightTimer(callback, 100)
    stop()
    vi.advanceTimersByTime(1_000)
    expect(callback).not.toHaveBeenCalled()
    stop()
  })

  test('lets go of a timer that would keep a process alive, and takes one that is only a number', () => {
    const unref = vi.fn()
    vi.stubGlobal('setTimeout', () => ({ unref }))
    lightTimer(() => {}, 100)
    expect(unref).toHaveBeenCalledTimes(1)
    const cleared = vi.fn()
    vi.stubGlobal('setTimeout', () => 17)
    vi.stubGlobal('clearTimeout', cleared)
    lightTimer(() => {}, 100)()
    vi.unstubAllGlobals()
    expect(cleared).toHaveBeenCalledWith(17)
  })
})
