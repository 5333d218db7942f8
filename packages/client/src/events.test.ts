import { afterEach, describe, expect, test } from 'vitest'
import { createClient } from './client.js'
import { ok, startFaultServer, type FaultServer } from './testing/fault-server.js'

const closing: FaultServer[] = []
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close()
})

describe('what a client tells', () => {
  test('each attempt with its number, why there is another one, and how a call failed; never a path', async () => {
    const server = await startFaultServer(({ before, target }) => (target === '/x?secret' && before === 0 ? { status: 503 } : target === '/gone' ? 'fin' : ok))
    closing.push(server)
    const client = createClient({ random: () => 0.5 })
    const heard: unknown[] = []
    for (const name of ['attempt', 'retry', 'failed'] as const) client.on(name, (event) => heard.push({ name, ...event }))
    await client(`${server.origin}/x?secret`, { headers: { 'x-request-id': 'request-1' } })
    const about = { method: 'GET', origin: server.origin, requestId: 'request-1' }
    expect(heard.splice(0)).toEqual([
      { name: 'attempt', ...about, resendCount: 0 },
      { name: 'retry', ...about, why: 'policy', delay: 25, status: 503 },
      { name: 'attempt', ...about, resendCount: 1 },
    ])
    await client(`${server.origin}/gone`, { method: 'POST', body: 'tea', headers: { 'x-request-id': 'request-2' } }).catch(() => {})
    const failed = { ...about, method: 'POST', requestId: 'request-2' }
    expect(heard).toMatchObject([{ name: 'attempt', ...failed }, { name: 'failed', ...failed, attempts: 1, budgetSpent: false, evidence: { sent: true, responseBytes: 0 } }])
    expect(JSON.stringify(heard)).not.toMatch(/secret|gone/)
  })

  test('that the budget is spent: of a call that fails, and of a response that is handed over', async () => {
    const server = await startFaultServer(({ target }) => (target === '/down' ? { status: 503, fields: { connection: 'close' } } : 'fin'))
    closing.push(server)
    const client = createClient({ random: () => 0, budget: { tokens: 1 }, retry: { attempts: 2 } })
    const heard: unknown[] = []
    for (const name of ['budgetSpent', 'failed'] as const) client.on(name, (event) => heard.push({ name, ...event }))
    const call = (path: string): Promise<unknown> => client(`${server.origin}${path}`, { headers: { 'x-request-id': 'request-1' } }).then(({ status }) => status, (error: unknown) => error)
    const about = { method: 'GET', origin: server.origin, requestId: 'request-1' }
    // The attempts are spent before the budget is.
    expect(await call('/down')).toBe(503)
    expect(heard).toEqual([])
    expect(await call('/down')).toBe(503)
    expect(heard.splice(0)).toEqual([{ name: 'budgetSpent', ...about, status: 503 }])
    expect(await call('/gone')).toMatchObject({ budgetSpent: true, attempts: 1, message: expect.stringContaining(', 1 attempt, retry budget spent: ') })
    expect(heard).toMatchObject([{ name: 'budgetSpent', ...about, verdict: 'fresh-loss' }, { name: 'failed', ...about, budgetSpent: true }])
  })

  test('a listener that throws stops no call', async () => {
    const server = await startFaultServer(() => ok)
    closing.push(server)
    const client = createClient()
    client.on('attempt', () => {
      throw new Error('of a listener')
    })
    expect((await client(`${server.origin}/x`)).status).toBe(200)
  })
})

test('the fetch that is wrapped may be another one, and is looked up at each call otherwise', async () => {
  const seen: string[] = []
  const own = createClient({ fetch: async (input) => (seen.push(String(input)), new Response('own')) })
  expect(await (await own('http://a.example/')).text()).toBe('own')
  expect(seen).toEqual(['http://a.example/'])
})
