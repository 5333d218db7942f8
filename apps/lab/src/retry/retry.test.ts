import { expect, test } from 'vitest'
import type { Row } from '../scenario.js'
import { lab, longest } from '../testing/run-lab.js'
import { unmetDemand } from './demands.js'
import type { RetryRow } from './row.js'

test('the short form: Hopwise meets every demand, and peers are seen to double and to give up', async () => {
  const { code, result, stderr } = await lab('retry', '--short', '--json')
  const rows = (result?.rows ?? []) as unknown as RetryRow[]
  expect([code, result?.ok, rows.filter(({ client }) => client.startsWith('hopwise')).length], stderr).toEqual([0, true, 30 + 54 + 54])
  for (const row of rows) expect(Object.keys(row)).toEqual(['client', 'runtime', 'case', 'method', 'serverSaw', 'outcome', 'ms'])

  const row = (name: string, runtime: string, method: string, of: string): RetryRow | undefined => rows.find((one) => one.client === name && one.runtime === runtime && one.method === method && one.case === of)
  // A POST without a key, sent twice after the server had it.
  for (const [client, runtime] of [['axios-retry', 'node24'], ['p-retry', 'node24'], ['fetch', 'deno']] as const) {
    for (const fault of ['reusefin', 'reuserst']) expect(row(client, runtime, 'POST', fault)).toMatchObject({ serverSaw: 2, outcome: 'status 200' })
  }
  expect(row('axios-retry', 'node24', 'POST', 'freshfin')).toMatchObject({ serverSaw: 4, outcome: 'ERR ECONNRESET' })
  expect(row('p-retry', 'node24', 'POST', 'midbody')).toMatchObject({ serverSaw: 2, outcome: 'status 200' })
  // A request that could have been repeated, given up.
  for (const method of ['GET', 'POST+key']) expect(row('fetch', 'node24', method, 'reusefin')).toMatchObject({ serverSaw: 1, outcome: 'ERR UND_ERR_SOCKET' })

  // The demands see all that: what peers do would not pass for Hopwise.
  const blamed = rows.filter((peer) => unmetDemand({ ...peer, client: 'hopwise' }) !== undefined).map(({ client, runtime }) => `${client} ${runtime}`)
  expect(new Set(blamed)).toEqual(new Set(['fetch node24', 'axios-retry node24', 'p-retry node24', 'fetch deno']))
}, longest)

test('what is asked for is what is run', async () => {
  const { code, result, stderr } = await lab('retry', '--json', '--client', 'got', '--client', 'agentkeepalive', '--runtime', 'node22', '--case', 'reusefin', '--method', 'PUT', '--method', 'POST', '--losses', '0')
  expect(result?.rows.map(({ client, runtime, method, serverSaw }) => [client, runtime, method, serverSaw].join(' ')), stderr).toEqual([
    'got node22 PUT 2', 'got node22 POST 1', 'agentkeepalive node22 PUT 1', 'agentkeepalive node22 POST 1',
  ])
  expect(code, stderr).toBe(0)
}, longest)

test('what is counted on Bun and Deno is held to what they allow, and says so', async () => {
  const { code, result, stderr } = await lab('retry', '--short', '--json', '--client', 'hopwise', '--runtime', 'bun', '--runtime', 'deno', '--case', 'reusefin', '--losses', '1200', '--outage-calls', '200')
  const figures = (of: string, runtime: string): readonly Row[] => (result?.figures ?? []).filter((one) => one['figure'] === of && one['runtime'] === runtime)
  expect(code, stderr).toBe(0)
  expect(figures('losses', 'bun'), stderr).toMatchObject([
    { losses: 300, budget: 'default', post_doubled: 0, target_met: false, held_to: expect.stringContaining('token of the budget') as unknown },
    { losses: 300, budget: 'none', post_doubled: 0, held_to: expect.stringContaining('every one') as unknown },
  ])
  expect(figures('dead-sockets', 'bun')).toMatchObject([
    { method: 'GET', sends: 11, bare_sends: 11, target_met: false, held_to: expect.stringContaining("Bun's own fetch") as unknown },
    { method: 'POST+key', sends: 2, bare_sends: 1 },
  ])
  expect(figures('dead-sockets', 'deno')).toMatchObject([{ sends: 3, bare_sends: 2, target_met: false }, { sends: 3, bare_sends: 2, target_met: false }])
}, longest)

test.each([
  [['--client', 'request'], /--client is "request"; allowed: hopwise, hopwise-undici6, .*, agentkeepalive$/m],
  [['--runtime', 'node18'], /--runtime is "node18"; allowed: node20, node22, node24, bun, deno$/m],
  [['--case', 'T1'], /--case is "T1"; allowed: reusefin, .*, refused-stream$/m],
  [['--method', 'post'], /--method is "post"; allowed: GET, PUT, DELETE, POST, POST\+key$/m],
  [['--losses', '-1'], /--losses is "-1"; allowed: a whole number from 0 to 1000000$/m],
  [['--outage-calls', '10'], /--outage-calls is "10"; allowed: a whole number from 200 to 1000000$/m],
  [['--client', 'got', '--runtime', 'deno'], /retry: none of got runs on deno$/m],
  [['--client', 'ky', '--losses', '5'], /retry: --losses is counted of hopwise, .* on node24, bun, deno, and none of them is asked for$/m],
  [['--client', 'got', '--runtime', 'node22', '--case', 'goaway-at'], /retry: goaway-at is about HTTP\/2, and none of these speaks it: got on node22$/m],
  [['--store', 'redis'], /retry has no option --store; it has: --client, --runtime, --case, --method, --losses, --outage-calls, --json, --seed, --short$/m],
])('a wrong call is said in one sentence: %j', async (args, message) => {
  const { code, stderr } = await lab('retry', ...args)
  expect([code, message.test(stderr)], stderr).toEqual([1, true])
})
