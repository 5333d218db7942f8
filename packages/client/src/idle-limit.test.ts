import { alb, customHop } from '@hopwise/core'
import { describe, expect, test } from 'vitest'
import { chainIdleLimit, createIdleLimits, suspectAge } from './idle-limit.js'

describe('the limit of a chain', () => {
  test('is below what the first hop keeps', () => {
    expect(chainIdleLimit(['alb', 'nginx'], 3_000)).toBe(57_000)
    expect(chainIdleLimit([alb({ downstream: { idle: '5m' } }), 'nginx'], 3_000)).toBe(297_000)
    expect(chainIdleLimit(['node'], 3_000)).toBe(2_500)
  })

  test('is bound by what forwards TCP in front of it, and not by what is behind it', () => {
    const nlb = customHop({ name: 'nlb', layer: 'tcp', downstream: { idle: '30s' } })
    expect(chainIdleLimit([nlb, 'alb', 'node'], 3_000)).toBe(27_000)
    expect(chainIdleLimit(['alb', nlb, 'node'], 3_000)).toBe(57_000)
  })

  test('is none where the first hop does not say', () => {
    expect(chainIdleLimit(['haproxy', 'node'], 3_000)).toBeUndefined()
    expect(chainIdleLimit([], 3_000)).toBeUndefined()
  })
})

describe('what is learnt', () => {
  test('is half of the lowest idle age that was found dead, from 1 s up', () => {
    const limits = createIdleLimits(undefined, () => 0)
    expect(limits.limitOf('a')).toBeUndefined()
    limits.foundDead('a', 20_000)
    limits.foundDead('a', 30_000)
    expect(limits.limitOf('a')).toBe(10_000)
    limits.foundDead('a', 8_000)
    expect(limits.limitOf('a')).toBe(4_000)
    limits.foundDead('a', 3)
    expect(limits.limitOf('a')).toBe(1_000)
    expect(limits.limitOf('b')).toBeUndefined()
  })

  test('never exceeds the chain, and is forgotten after ten minutes', () => {
    let time = 0
    const limits = createIdleLimits(57_000, () => time)
    limits.foundDead('a', 600_000)
    expect(limits.limitOf('a')).toBe(57_000)
    limits.foundDead('a', 10_000)
    expect(limits.limitOf('a')).toBe(5_000)
    time = 600_000
    expect(limits.limitOf('a')).toBe(57_000)
  })

  test('is kept for a thousand origins', () => {
    const limits = createIdleLimits(undefined, () => 0)
    for (let n = 0; n <= 1_000; n += 1) limits.foundDead(`o${n}`, 10_000)
    expect([limits.limitOf('o0'), limits.limitOf('o1'), limits.limitOf('o1000')]).toEqual([undefined, 5_000, 5_000])
  })
})

test('before a repair, connections that were idle half as long are closed; before the last one, all', () => {
  expect([suspectAge(10_000, false), suspectAge(10_000, true), suspectAge(undefined, false)]).toEqual([5_000, 0, 0])
})
