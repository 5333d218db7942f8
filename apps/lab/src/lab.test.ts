import { describe, expect, test } from 'vitest'
import { seededRandom, type Row } from './scenario.js'
import { lab, longest } from './testing/run-lab.js'

describe('the short forms meet the demands of the long ones', () => {
  test('crash: same-transaction exactly once, leased at most once, nothing divergent, lost or foreign', async () => {
    const { code, result, stderr } = await lab('crash', '--short', '--json')
    expect(result?.rows.map(({ store, mode }) => `${store} ${mode}`), stderr).toEqual(['redis leased', 'postgres leased', 'postgres same-transaction', 'sqlite same-transaction'])
    for (const row of result?.rows ?? []) {
      expect(row, stderr).toMatchObject({ keys: 60, divergent: 0, lost: 0, foreign: 0, doubled: 0 })
      if (row['mode'] === 'same-transaction') expect(row).toMatchObject({ effects: 60, unknown: 0 })
    }
    expect(code, stderr).toBe(0)
  }, longest)

  test.each(['redis', 'postgres', 'postgres-tx'])('outage: %s', async (store) => {
    const { code, result, stderr } = await lab('outage', '--json', '--store', store)
    expect(result?.rows.map(({ fault }) => fault), stderr).toEqual(['frozen', 'killed and restarted', 'connections cut', '40 ms away'])
    for (const row of result?.rows ?? []) expect(row).toMatchObject({ other: 0, hung: 0, doubled: 0 })
    expect(code, stderr).toBe(0)
  }, longest)

  test('round trips', async () => {
    const { code, result, stderr } = await lab('roundtrips', '--json')
    // A conflict in same-transaction mode waits for its turn in the process, and does not even ask.
    const wanted = ({ op, mode }: Row) => (op === 'first' ? 2 : op === 'conflict' && mode === 'same-transaction' ? 0 : 1)
    for (const row of result?.rows ?? []) expect(row['roundtrips'], JSON.stringify(row)).toBe(wanted(row))
    expect([code, result?.rows.length], stderr).toEqual([0, 12])
  }, longest)

  test('memory', async () => {
    const { code, result, stderr } = await lab('memory', '--short', '--json')
    expect(code, stderr).toBe(0)
    expect(Number(result?.rows[0]?.['left_bytes_a_key'])).toBeLessThan(5)
  }, longest)
})

test.each([
  [['crush'], /one scenario is to be named: crash, outage, roundtrips, memory, rolling, matrix, lag, retry, exactly-once/],
  [['crash', '--store', 'oracle'], /--store is "oracle"; allowed: redis, postgres, postgres-tx, sqlite, sqlite-tx/],
  [['crash', '--seed', 'x'], /--seed is "x"; allowed: a whole number/],
  [['crash', '--store'], /--store is without a value; allowed: redis/],
  [['crash', '--short=yes'], /--short is "yes"; allowed: no value/],
  [['crash', 'outage'], /crash takes no "outage"; its options: --store, --json, --seed, --short/],
  [['memory', '--store', 'redis'], /memory has no option --store; it has: --json, --seed, --short/],
  [['lag', '--restarts', '3'], /lag has no option --restarts; it has: --node, --json, --seed, --short/],
  [['rolling', '--proxy', 'apache'], /--proxy is "apache"; allowed: nginx, haproxy, direct-raw, direct-undici/],
  [['rolling', '--restarts', '0'], /--restarts is "0"; allowed: a whole number from 1 to 1000/],
  [['rolling', '--node', '18'], /--node is "18"; allowed: 20, 22, 24, 26/],
  [['matrix', '--case', 'T14'], /--case is "T14"; allowed: T1, T2, /],
])('a wrong call is said in one sentence: %j', async (args, message) => {
  const { code, stderr } = await lab(...args)
  expect([code, message.test(stderr)], stderr).toEqual([1, true])
})

test('one seed gives one row of numbers, another seed another', () => {
  const draw = (seed: number) => Array.from({ length: 5 }, seededRandom(seed))
  expect(draw(7)).toEqual(draw(7))
  expect(draw(7)).not.toEqual(draw(8))
  expect(draw(7).every((value) => value >= 0 && value < 1)).toBe(true)
})
