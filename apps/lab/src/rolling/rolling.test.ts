import { expect, test } from 'vitest'
import { lab, longest } from '../testing/run-lab.js'

test('behind nginx, beside a peer', async () => {
  const { code, result, stderr } = await lab('rolling', '--short', '--json')
  expect(result?.rows, stderr).toMatchObject([
    { server: 'hopwise', proxy: 'nginx', restarts: 2, failed: 0, forced: 0 },
    { server: 'close', proxy: 'nginx', restarts: 2 },
  ])
  expect(code, stderr).toBe(0)
}, longest)

test.each([
  '--proxy haproxy',
  '--proxy direct-raw --proxy direct-undici',
  '--rtt 5',
  '--tls',
  '--node 24',
])('no request is lost with %s', async (line) => {
  const args = line.split(' ')
  const { code, result, stderr } = await lab('rolling', '--short', '--json', '--server', 'hopwise', ...args)
  for (const row of result?.rows ?? []) {
    expect(row, stderr).toMatchObject({ server: 'hopwise', restarts: 2, failed: 0, kinds: '', forced: 0 })
    expect(row['requests'], stderr).toBeGreaterThan(200)
  }
  expect([code, result?.rows.length], stderr).toEqual([0, args.filter((arg) => arg === '--proxy').length || 1])
}, longest)
