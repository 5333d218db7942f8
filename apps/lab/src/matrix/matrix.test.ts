import { expect, test } from 'vitest'
import { lab, longest } from '../testing/run-lab.js'

test('each of the thirteen states of a connection ends as it should', async () => {
  const { code, result, stderr } = await lab('matrix', '--json', '--server', 'hopwise')
  expect(result?.rows.filter(({ ok }) => ok !== true), stderr).toEqual([])
  expect([code, result?.rows.length], stderr).toEqual([0, 13])
}, longest)
