import { expect, test } from 'vitest'
import { lab, longest } from '../testing/run-lab.js'

// Two at a time: a server that is blocked leaves a core to the other one.
test.each([['20', '22'], ['24', '26']])('on Nodes %s and %s, requests that came before the idle deadline are served, however long the event loop was blocked, and in whichever phase', async (...nodes) => {
  const cells = ['timer', 'poll', 'check'].flatMap((phase) => [200, 1_000, 3_000].flatMap((lag) => [`node ${phase} ${lag}`, `hopwise ${phase} ${lag}`]))
  const runs = await Promise.all(nodes.map((node) => lab('lag', '--json', '--node', node)))
  for (const { code, result, stderr } of runs) {
    expect(result?.rows.map((row) => `${row['server']} ${row['phase']} ${row['lag_ms']}`), stderr).toEqual(cells)
    for (const row of result?.rows.filter(({ server }) => server === 'hopwise') ?? []) expect(row, stderr).toMatchObject({ served: 50, of: 50 })
    expect(code, stderr).toBe(0)
  }
}, longest)
