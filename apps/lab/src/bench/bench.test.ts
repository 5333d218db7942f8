import { expect, test } from 'vitest'
import { runBuilt } from '../testing/run-built.js'
import { quantile } from './quantile.js'

const bench = (...args: string[]) => runBuilt('bench/main.js', args)

test('client: each wrapper against what it wraps, with what the wrapper costs', async () => {
  const { code, stderr, last } = await bench('client', '--rounds', '3', '--json')
  expect(code, stderr).toBe(0)
  const { suite, rows } = JSON.parse(last) as { suite: string; rows: Readonly<Record<string, number | string>>[] }
  const cells = [['GET', 1], ['GET', 32], ['POST', 1], ['POST', 32]]
  expect([suite, rows.map(({ what, method, concurrency }) => [what, method, concurrency])]).toEqual([
    'client',
    cells.flatMap((cell) => [['createClient / fetch', ...cell], ['hopwise() / undici.request', ...cell]]),
  ])
  for (const { concurrency, ratio, ratio_p10: p10, ratio_p90: p90, cpu_ratio: cpu, calls, wrapped_us: wrapped } of rows) {
    expect(calls).toBe(concurrency === 1 ? 300 : 1_500)
    expect([Number(p10) > 0 && Number(p10) <= Number(ratio) && Number(ratio) <= Number(p90), Number(cpu) > 0, Number(wrapped) > 0]).toEqual([true, true, true])
  }
}, 120_000)

test.each([
  [[], /^there is no suite ""; there are: client$/m],
  [['server'], /^there is no suite "server"; there are: client$/m],
  [['client', '--rounds', '1'], /^--rounds is "1"; allowed: a whole number from 3 to 1000$/m],
  [['client', '--store', 'redis'], /^client has no option --store; it has: --rounds, --seed, --short, --json$/m],
])('a wrong call is said in one sentence: %j', async (args, message) => {
  const { code, stderr } = await bench(...args)
  expect([code, message.test(stderr), stderr.includes('npm run bench -- ')], stderr).toEqual([1, true, true])
})

test('quantiles lie between two values where they fall there', () => {
  expect([0, 0.1, 0.5, 1].map((share) => quantile([4, 1, 3, 2], share))).toEqual([1, 1.3, 2.5, 4])
  expect(quantile([7], 0.9)).toBe(7)
  expect(() => quantile([], 0.5)).toThrow(RangeError)
})
