import { describe, expect, test } from 'vitest'
import { ExpiryQueue } from './expiry-queue.js'

describe('ExpiryQueue', () => {
  test('gives a key once its second is over, and only once', () => {
    const queue = new ExpiryQueue(0)
    queue.add('a', 2_500)
    expect(queue.takeDue(2_499, 10)).toEqual([])
    expect(queue.takeDue(2_999, 10)).toEqual([])
    expect(queue.takeDue(3_000, 10)).toEqual(['a'])
    expect(queue.takeDue(9_000, 10)).toEqual([])
  })

  test('a key is never given before it expires, and at most a second after', () => {
    for (let expiresAt = 0; expiresAt < 5_000; expiresAt += 7) {
      const queue = new ExpiryQueue(0)
      queue.add('a', expiresAt)
      let now = 0
      while (queue.takeDue(now, 1).length === 0) now++
      expect(now - expiresAt).toBeGreaterThanOrEqual(0)
      expect(now - expiresAt).toBeLessThan(1_000)
    }
  })

  test('different retentions come out in the order of their expiry, not in that of their coming', () => {
    const queue = new ExpiryQueue(0)
    queue.add('day', 86_400_000)
    queue.add('second', 1_000)
    queue.add('hour', 3_600_000)
    queue.add('minute', 60_000)
    expect(queue.takeDue(59_999, 10)).toEqual(['second'])
    expect(queue.takeDue(86_400_000, 10)).toEqual(['minute', 'hour', 'day'])
  })

  test('a limit leaves the rest for the next time, none lost and none twice', () => {
    const queue = new ExpiryQueue(0)
    const keys = Array.from({ length: 100 }, (_, index) => `key-${index}`)
    for (const [index, key] of keys.entries()) queue.add(key, (index % 3) * 1_000)
    const taken: string[] = []
    for (let round = 0; round < 14; round++) {
      const due = queue.takeDue(2_000, 7)
      expect(due.length).toBeLessThanOrEqual(7)
      taken.push(...due)
    }
    expect(taken).toHaveLength(98)
    taken.push(...queue.takeDue(2_000, 7))
    expect(taken.toSorted()).toEqual(keys.toSorted())
    expect(queue.takeDue(2_000, 7)).toEqual([])
  })

  test('a limit of nothing takes nothing', () => {
    const queue = new ExpiryQueue(0)
    queue.add('a', 0)
    expect(queue.takeDue(5_000, 0)).toEqual([])
    expect(queue.takeDue(5_000, 1)).toEqual(['a'])
  })

  test('the same key twice in one second is one entry, in two seconds two', () => {
    const queue = new ExpiryQueue(0)
    queue.add('a', 1_000)
    queue.add('a', 900)
    queue.add('a', 1_100)
    expect(queue.takeDue(1_000, 10)).toEqual(['a'])
    expect(queue.takeDue(2_000, 10)).toEqual(['a'])
    expect(queue.takeDue(3_000, 10)).toEqual([])
  })

  test('a key that expires in the past is due at once, also after the queue went on', () => {
    const queue = new ExpiryQueue(100_500)
    queue.add('old', 5_000)
    expect(queue.takeDue(100_500, 10)).toEqual(['old'])
    queue.add('between', 150_000)
    expect(queue.takeDue(200_000, 10)).toEqual(['between'])
    queue.add('older', 0)
    expect(queue.takeDue(201_000, 10)).toEqual(['older'])
  })

  test('a long silence is no long walk: keys that come after it are found', () => {
    const queue = new ExpiryQueue(0)
    const later = 50 * 365 * 86_400_000
    expect(queue.takeDue(later, 10)).toEqual([])
    queue.add('a', later + 1_000)
    expect(queue.takeDue(later + 1_000, 10)).toEqual(['a'])
  })

  test('a clock with an odd beginning, as performance.now has, changes nothing', () => {
    const queue = new ExpiryQueue(12_345.678)
    queue.add('a', 13_345.678)
    expect(queue.takeDue(13_345.678, 10)).toEqual([])
    expect(queue.takeDue(14_000, 10)).toEqual(['a'])
  })
})
