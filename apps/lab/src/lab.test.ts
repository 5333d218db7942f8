import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { describe, expect, onTestFinished, test } from 'vitest'
import { seededRandom, type Row } from './scenario.js'

const main = fileURLToPath(new URL('../dist/main.js', import.meta.url))
const longest = 240_000

/** Runs a scenario of the built lab, and reads its last line. */
async function lab(...args: string[]): Promise<{ code: number | null; stderr: string; result: { scenario: string; rows: Row[]; ok: boolean } | undefined }> {
  const child = spawn(process.execPath, [main, ...args])
  onTestFinished(() => void child.kill('SIGKILL'))
  let [stdout, stderr] = ['', '']
  child.stdout.on('data', (chunk: Buffer) => {
    stdout += chunk.toString()
  })
  child.stderr.on('data', (chunk: Buffer) => {
    stderr += chunk.toString()
  })
  const [code] = (await once(child, 'close')) as [number | null]
  const last = stdout.trim().split('\n').at(-1) ?? ''
  return { code, stderr, result: last === '' ? undefined : (JSON.parse(last) as { scenario: string; rows: Row[]; ok: boolean }) }
}

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
  [['crush'], /one scenario is to be named: crash, outage, roundtrips, memory/],
  [['crash', '--store', 'oracle'], /--store is "oracle"; allowed: redis, postgres, postgres-tx, sqlite, sqlite-tx/],
  [['crash', '--seed', 'x'], /--seed is "x"; allowed: a whole number/],
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
