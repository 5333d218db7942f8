import { getEventListeners } from 'node:events'
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import { afterEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { createClient, type ClientOptions } from './client.js'
import { ok, startFaultServer, type Fault, type FaultServer, type SeenRequest } from './testing/fault-server.js'
import { manualClock } from './testing/manual-clock.js'

const closing: FaultServer[] = []
afterEach(async () => {
  for (const server of closing.splice(0)) await server.close()
})

/** A client with a deadline and a signal that outlives its calls. */
async function open(decide: (request: SeenRequest) => Fault, options: ClientOptions = {}) {
  const server = await startFaultServer(decide)
  closing.push(server)
  const clock = manualClock()
  const life = new AbortController()
  const client = createClient({ clock, deadline: '1h', random: () => 0.5, ...options })
  const left = (): { timers: number; listeners: number } => ({ timers: clock.running, listeners: getEventListeners(life.signal, 'abort').length })
  return { client, clock, life, left, url: `${server.origin}/x`, init: { signal: life.signal } }
}

const nothing = { timers: 0, listeners: 0 }
const aMoment = async (isThere: () => boolean): Promise<void> => {
  while (!isThere()) await turn()
}

describe('a call leaves no timer and no listener behind', () => {
  test('once its response has come', async () => {
    const any = vi.spyOn(AbortSignal, 'any')
    onTestFinished(() => any.mockRestore())
    const { client, left, url, init } = await open(() => ok)
    const response = await client(url, init)
    // All of it has come, and nobody has read it yet.
    await aMoment(() => left().timers === 0)
    expect(left()).toEqual(nothing)
    expect(await response.text()).toBe('ok')
    // It cannot be released: on Node 20 and 22 something of each call would stay with the signal.
    expect(any).not.toHaveBeenCalled()
  })

  test.each<[string, Fault]>([['has no body', { status: 204 }], ['breaks off', 'half-body']])('where its response %s', async (_what, fault) => {
    const { client, left, url, init } = await open(() => fault)
    const response = await client(url, init)
    await response.text().catch(() => {})
    await aMoment(() => left().timers === 0)
    expect(left()).toEqual(nothing)
  })

  test('where its response is not wanted', async () => {
    const { client, left, url, init } = await open(() => 'endless-503', { retry: false })
    const response = await client(url, init)
    expect(left()).toEqual({ timers: 1, listeners: 1 })
    await response.body?.cancel()
    await aMoment(() => left().timers === 0)
    expect(left()).toEqual(nothing)
  })

  test('where it fails, after a wait', async () => {
    const { client, clock, left, url, init } = await open(() => 'fin')
    const call = client(url, init)
    for (const ms of [25, 50]) {
      await clock.waitsFor(ms)
      clock.advance(ms)
    }
    await expect(call).rejects.toMatchObject({ attempts: 3 })
    expect(left()).toEqual(nothing)
  })

  test('of a fetch that is not of undici: once the body is collected', async () => {
    setFlagsFromString('--expose-gc')
    const gc = runInNewContext('gc') as () => void
    const { client, left, init } = await open(() => ok, { fetch: async () => new Response('own') })
    const read = async (): Promise<string> => (await client('http://a.example/', init)).text()
    expect(await read()).toBe('own')
    await aMoment(() => {
      gc()
      return left().timers === 0
    })
    expect(left()).toEqual(nothing)
  })
})

describe('until the body has come', () => {
  test('an abort is obeyed', async () => {
    const { client, life, left, url, init } = await open(() => 'endless-503', { retry: false })
    const reading = (await client(url, init)).text()
    const reason = new Error('enough')
    life.abort(reason)
    await expect(reading).rejects.toBe(reason)
    await aMoment(() => left().timers === 0)
    expect(left()).toEqual(nothing)
  })

  test('the deadline holds', async () => {
    const { client, clock, left, url, init } = await open(() => 'endless-503', { retry: false })
    const reading = (await client(url, init)).text()
    clock.advance(3_600_000)
    await expect(reading).rejects.toMatchObject({ name: 'TimeoutError', verdict: 'response-started', sent: true, attempts: 1, cause: { message: 'deadline of 3600000 ms is over' } })
    await aMoment(() => left().listeners === 0)
    expect(left()).toEqual(nothing)
  })
})

test('twenty calls that wait and share a signal: one listener, and Node warns of nothing', async () => {
  const warnings: Error[] = []
  const warned = (warning: Error): unknown => warnings.push(warning)
  process.on('warning', warned)
  onTestFinished(() => void process.off('warning', warned))
  const { client, clock, life, left, url, init } = await open(() => ({ status: 503, fields: { 'retry-after': '7' } }), { budget: false })
  const calls = Array.from({ length: 20 }, () => client(url, init))
  await aMoment(() => clock.asked.filter((ms) => ms === 7_025).length === 20)
  expect(left().listeners).toBe(1)
  life.abort()
  for (const call of calls) await expect(call).rejects.toMatchObject({ name: 'AbortError', verdict: 'aborted' })
  expect(left()).toEqual(nothing)
  await turn()
  expect(warnings).toEqual([])
})
