import { expect, test } from 'vitest'
import { lab, longest } from '../testing/run-lab.js'

test('kill -9, drains and cut connections: every order once, and only a call whose answer had begun fails', async () => {
  const { code, result, stderr } = await lab('exactly-once', '--short', '--json')
  const [row] = result?.rows ?? []
  expect(row, stderr).toMatchObject({ client: 'hopwise', store: 'sqlite', duplicates: 0, missing: 0, failed_unanswered: 0, kills: 1, drains: 1, cuts: 20 })
  expect([code, result?.rows.length], stderr).toEqual([0, 1])
  expect(Number(row?.['ok']) + Number(row?.['failed'])).toBe(row?.['calls'])
  // The order in whose middle the instance was killed, and the connections that were cut.
  for (const figure of ['repaired', 'retried', 'orders']) expect(row?.[figure], stderr).toBeGreaterThan(0)
}, longest)

test('a loop that sends each attempt as a new request doubles orders, and the lab sees it', async () => {
  const { code, result, stderr } = await lab('exactly-once', '--short', '--json', '--client', 'naive')
  const [row] = result?.rows ?? []
  expect(row, stderr).toMatchObject({ client: 'naive', missing: 0, kills: 1, drains: 1, cuts: 20 })
  expect(row?.['duplicates'], stderr).toBeGreaterThan(0)
  expect([code, result?.ok], stderr).toEqual([1, false])
}, longest)

test.each([
  [['--client', 'got'], /--client is "got"; allowed: hopwise, naive$/m],
  [['--store', 'redis'], /--store is "redis"; allowed: sqlite-tx, postgres-tx$/m],
  [['--turns', '0'], /--turns is "0"; allowed: a whole number from 1 to 1000$/m],
])('a wrong call is said in one sentence: %j', async (args, message) => {
  const { code, stderr } = await lab('exactly-once', ...args)
  expect([code, message.test(stderr)], stderr).toEqual([1, true])
})
