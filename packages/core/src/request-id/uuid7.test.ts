import { describe, expect, test } from 'vitest'
import { createUuid7 } from './uuid7.js'

const format = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/
/** The time of the example in RFC 9562 A.6, 22 February 2022. */
const epoch = 1_645_557_742_000

const timeOf = (id: string): number => Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16)
const counterOf = (id: string): number => Number.parseInt(id.slice(15, 18), 16)
const filled = (byte: number) => (bytes: Uint8Array) => void bytes.fill(byte)

describe('the format of RFC 9562 5.7', () => {
  test('holds for each id, with the time of its making in front', () => {
    const before = Date.now()
    const ids = Array.from({ length: 2_000 }, createUuid7())
    for (const id of ids) expect(id).toMatch(format)
    expect(timeOf(ids[0] ?? '')).toBeGreaterThanOrEqual(before)
    expect(timeOf(ids[0] ?? '')).toBeLessThanOrEqual(Date.now())
  })

  test('of all bits set and all bits clear: version and variant stay what they are', () => {
    expect(createUuid7({ now: () => epoch, random: filled(0xff) })()).toBe('017f22e2-79b0-77ff-bfff-ffffffffffff')
    expect(createUuid7({ now: () => epoch, random: filled(0x00) })()).toBe('017f22e2-79b0-7000-8000-000000000000')
  })

  test.each([0, 1, 255, 2 ** 32, 2 ** 48 - 1])('of the time %i', (now) => {
    const id = createUuid7({ now: () => now })()
    expect(id).toMatch(format)
    expect(timeOf(id)).toBe(now)
  })

  test('of a clock that counts in fractions', () => {
    const id = createUuid7({ now: () => epoch + 0.75 })()
    expect(id).toMatch(format)
    expect(timeOf(id)).toBe(epoch)
  })

  test('every other bit is random', () => {
    const seen = { or: 0n, and: 2n ** 128n - 1n }
    const next = createUuid7()
    for (let made = 0; made < 2_000; made++) {
      const bits = BigInt(`0x${next().replaceAll('-', '')}`)
      seen.or |= bits
      seen.and &= bits
    }
    const tail = 2n ** 62n - 1n
    expect(seen.or & tail).toBe(tail)
    expect(seen.and & tail).toBe(0n)
  })
})

describe('ids never go backwards and never repeat', () => {
  test('over 200,000 ids under a frozen clock', () => {
    const next = createUuid7({ now: () => epoch })
    const ids = climb(next, 200_000)
    expect(new Set(ids).size).toBe(ids.length)
    // 2,048 to 4,096 ids fit into one millisecond, so the time has run ahead by no more than that takes.
    expect(timeOf(ids.at(-1) ?? '') - epoch).toBeLessThanOrEqual(Math.ceil(200_000 / 2_048))
  })

  test('with the real clock', () => {
    climb(createUuid7(), 100_000)
  })

  test('when the clock goes back, and until it has caught up', () => {
    let now = epoch
    const next = createUuid7({ now: () => now })
    const ids = climb(next, 10)
    now = epoch - 86_400_000
    ids.push(...climb(next, 5_000, ids.at(-1)))
    for (now = epoch - 3; now < epoch + 20; now++) ids.push(...climb(next, 50, ids.at(-1)))
    expect(timeOf(ids.at(-1) ?? '')).toBe(epoch + 19)
    expect(new Set(ids).size).toBe(ids.length)
  })

  test('when the counter overflows: the next millisecond is borrowed, with a new seed', () => {
    const next = createUuid7({ now: () => epoch, random: filled(0xff) })
    const ids = climb(next, 2_050)
    const [first = '', lastOfFirst = '', borrowed = ''] = [ids[0], ids[2_048], ids[2_049]]
    expect([timeOf(first), counterOf(first)]).toEqual([epoch, 0x7ff])
    expect([timeOf(lastOfFirst), counterOf(lastOfFirst)]).toEqual([epoch, 0xfff])
    expect([timeOf(borrowed), counterOf(borrowed)]).toEqual([epoch + 1, 0x7ff])
  })

  test('the counter starts below half of its range in each new millisecond', () => {
    let now = epoch
    const next = createUuid7({ now: () => now++ })
    const counters = Array.from({ length: 2_000 }, () => counterOf(next()))
    expect(Math.max(...counters)).toBeLessThan(0x800)
    expect(new Set(counters).size).toBeGreaterThan(500)
  })
})

test('random bytes are drawn for 128 ids at a time, and none is used twice', () => {
  const draws: number[] = []
  let now = epoch
  const next = createUuid7({
    now: () => now++,
    random: (bytes) => {
      draws.push(bytes.length)
      crypto.getRandomValues(bytes)
    },
  })
  const tails = Array.from({ length: 256 }, () => next().slice(19))
  expect(draws).toEqual([1_280, 1_280])
  expect(new Set(tails).size).toBe(256)
  next()
  expect(draws).toHaveLength(3)
})

/** Makes `count` ids and demands that each is greater than the one before. */
function climb(next: () => string, count: number, last = ''): string[] {
  const ids: string[] = []
  for (let made = 0; made < count; made++) {
    const id = next()
    if (id <= last) expect.fail(`${id} came after ${last}`)
    ids.push(id)
    last = id
  }
  return ids
}
