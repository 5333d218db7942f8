import { expect, test } from 'vitest'
import { lab, longest } from '../testing/run-lab.js'

test('requests that came before the idle deadline are served, in whichever phase the event loop was blocked', async () => {
  const { code, result, stderr } = await lab('lag', '--short', '--json')
  expect(result?.rows.map(({ server, phase }) => `${server} ${phase}`), stderr).toEqual(['timer', 'poll', 'check'].flatMap((phase) => [`node ${phase}`, `hopwise ${phase}`]))
  for (const row of result?.rows.filter(({ server }) => server === 'hopwise') ?? []) expect(row, stderr).toMatchObject({ served: 50, of: 50 })
  expect(code, stderr).toBe(0)
}, longest)
