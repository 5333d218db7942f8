import { expect, test } from 'vitest'
import { BoundedMap } from './bounded-map.js'
import { createBudget } from './budget.js'

const rules = { tokens: 10, perSuccess: 0.1 }

test('ten retries, and then none', () => {
  const budget = createBudget(rules)
  expect(Array.from({ length: 12 }, () => budget.spend('a'))).toEqual([...Array<boolean>(10).fill(true), false, false])
})

test('ten successes give one back, and no origin has more than ten', () => {
  const budget = createBudget(rules)
  while (budget.spend('a'));
  for (let n = 0; n < 9; n += 1) budget.earn('a')
  expect(budget.spend('a')).toBe(false)
  budget.earn('a')
  expect(budget.spend('a')).toBe(true)
  for (let n = 0; n < 1_000; n += 1) budget.earn('a')
  let spent = 0
  while (budget.spend('a')) spent += 1
  expect(spent).toBe(10)
})

test('each origin has its own', () => {
  const budget = createBudget(rules)
  while (budget.spend('a'));
  expect(budget.spend('b')).toBe(true)
})

test('in a total outage, 10,000 calls are sent 10,010 times', () => {
  const budget = createBudget(rules)
  let sends = 0
  for (let call = 0; call < 10_000; call += 1) {
    sends += 1
    for (let attempt = 1; attempt < 3 && budget.spend('a'); attempt += 1) sends += 1
  }
  expect(sends).toBe(10_010)
})

test('the map forgets the origin that was not used for longest', () => {
  const map = new BoundedMap<string, number>(2)
  map.set('a', 1)
  map.set('b', 2)
  expect(map.get('a')).toBe(1)
  map.set('c', 3)
  expect([map.get('a'), map.get('b'), map.get('c'), map.size]).toEqual([1, undefined, 3, 2])
})
