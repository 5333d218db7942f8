import { once } from 'node:events'
import { customHop } from '@hopwise/core'
import { afterEach, describe, expect, test } from 'vitest'
import { bindings, warmUp } from './testing/bindings.js'
import { ok, startFaultServer, type Answer, type FaultServer } from './testing/fault-server.js'

const closing: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const close of closing.splice(0)) await close()
})

/** Resolves when the server has no connection left. */
async function noneOpen(server: FaultServer): Promise<void> {
  while (server.open() > 0) await once(server.closings, 'closed')
}

/** Tells undici to keep the connection for ten minutes: what closes it earlier is the client. */
const keptLong: Answer = { ...ok, fields: { 'keep-alive': 'timeout=600' } }

describe.each(bindings)('$name', (binding) => {
  async function open(decide: Parameters<typeof startFaultServer>[0], options: Parameters<typeof binding.open>[0] = {}) {
    const server = await startFaultServer(decide)
    const client = await binding.open({ random: () => 0, ...options })
    closing.push(() => client.close(), () => server.close())
    return { server, client }
  }

  test('ten dead connections cost one request that meets one of them', async () => {
    const { server, client } = await open(({ target, nth }) => (target === '/x' && nth > 1 ? 'fin' : ok))
    // Ten at once open ten connections.
    const from = performance.now()
    await Promise.all(Array.from({ length: 10 }, () => client.send(`${server.origin}/warm`)))
    const spread = performance.now() - from
    expect(server.open()).toBe(10)
    // Each has to be idle for half as long as every other one: that is so once the time that they took to become idle has passed again.
    await new Promise((resolve) => setTimeout(resolve, spread * 2 + 5))
    expect(await client.send(`${server.origin}/x`)).toMatchObject({ status: 200 })
    expect(server.count('/x')).toBe(2)
    expect(server.seen.at(-1)?.nth).toBe(1)
  })

  test('the last repair is on a fresh connection, whatever the first one met', async () => {
    // Connections die as they are used again; those that the client opens meanwhile come to nothing either.
    const { server, client } = await open(({ target, nth, before }) => (target === '/x' && (nth > 1 || before === 0) ? 'fin' : ok))
    await warmUp(client.send, server)
    expect(await client.send(`${server.origin}/x`)).toMatchObject({ status: 200 })
    expect(server.seen.at(-1)?.nth).toBe(1)
    expect(server.count('/x')).toBeLessThanOrEqual(3)
  })

  test('idle connections are closed before the first hop of the chain closes them', async () => {
    const hop = customHop({ name: 'front', downstream: { idle: '250ms' } })
    const { server, client } = await open(() => keptLong, { chain: [hop], margin: '50ms' })
    await client.send(`${server.origin}/x`)
    expect(server.open()).toBe(1)
    await noneOpen(server)
    expect(await client.send(`${server.origin}/x`)).toMatchObject({ status: 200 })
  })

  test('without a chain they are kept', async () => {
    const { server, client } = await open(() => ok)
    await warmUp(client.send, server)
    await client.send(`${server.origin}/x`)
    expect(server.seen.at(-1)?.nth).toBeGreaterThan(1)
  })

  test('after one was found dead, idle ones are no longer kept for as long as the server says', async () => {
    const { server, client } = await open(({ target, nth, before }) => (target === '/x' && nth > 1 && before === 0 ? 'fin' : keptLong))
    await warmUp(client.send, server)
    expect(await client.send(`${server.origin}/x`)).toMatchObject({ status: 200 })
    // undici 7 gives the whole pool up whose last connection has died: until one is kept again.
    await warmUp(client.send, server)
    expect(server.open()).toBeGreaterThan(0)
    await noneOpen(server)
  })

  test('a total outage: a call is sent once, but for the ten retries of the budget', async () => {
    const { server, client } = await open(() => 'fin')
    const verdicts = new Set<unknown>()
    for (let n = 0; n < 300; n += 1) await client.send(`${server.origin}/x`).catch((error: unknown) => verdicts.add((error as { verdict: string }).verdict))
    expect(server.count('/x')).toBe(310)
    expect([...verdicts]).toEqual(['fresh-loss'])
  })
})
