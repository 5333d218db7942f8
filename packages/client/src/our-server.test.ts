import { setImmediate as turn } from 'node:timers/promises'
import { memoryStore } from '@hopwise/core'
import { idempotent, type FetchIdempotencyOptions } from '@hopwise/core/fetch'
import { describe, expect, test } from 'vitest'
import { createClient, type ClientOptions } from './client.js'
import { manualClock } from './testing/manual-clock.js'

/** A protected handler of Hopwise that runs until it is let go, and a client whose first attempt loses its connection while it runs. */
function lostWhileItRuns(server: Partial<FetchIdempotencyOptions<[]>>, options: ClientOptions = {}) {
  let runs = 0
  let finish = (): void => {}
  const finished = new Promise<void>((resolve) => (finish = resolve))
  const serve = idempotent({ store: memoryStore({ now: () => 0 }), scope: 'global', ...server })(async () => {
    runs += 1
    await finished
    return new Response(`run ${runs}`, { status: 201 })
  })
  const clock = manualClock()
  let sends = 0
  const client = createClient({
    clock,
    random: () => 0,
    ...options,
    fetch: async (input, init) => {
      const answer = serve(new Request(input, init))
      if ((sends += 1) > 1) return answer
      await turn()
      throw Object.assign(new Error('other side closed'), { code: 'ECONNRESET' })
    },
  })
  const call = client('http://a.example/orders', { method: 'POST', body: 'tea', headers: { 'idempotency-key': 'order-1' } })
  return { call, clock, finish, count: () => ({ runs, sends }) }
}

describe('a connection is lost while the first run of a key lives', () => {
  test('the server lets the retry wait: it gets the answer as soon as there is one', async () => {
    const { call, finish, count } = lostWhileItRuns({ onConflict: 'wait' })
    while (count().sends < 2) await turn()
    finish()
    const response = await call
    expect([response.status, await response.text(), count()]).toEqual([201, 'run 1', { runs: 1, sends: 2 }])
  })

  test('it says what is left of the lease: the retry comes after that, and not a millisecond earlier', async () => {
    const { call, clock, finish, count } = lostWhileItRuns({ lease: '20s' })
    await clock.waitsFor(20_000)
    finish()
    clock.advance(19_999)
    await turn()
    expect(count()).toEqual({ runs: 1, sends: 2 })
    clock.advance(1)
    const response = await call
    expect([response.status, await response.text(), count()]).toEqual([201, 'run 1', { runs: 1, sends: 3 }])
  })

  test.each<[string, Partial<FetchIdempotencyOptions<[]>>, ClientOptions]>([
    ['the deadline', {}, { deadline: '10s' }],
    ['30 s', { lease: '31s' }, {}],
  ])('the lease goes beyond %s: the 409 is handed over', async (_what, server, options) => {
    const { call, finish, count } = lostWhileItRuns(server, options)
    const response = await call
    expect([response.status, ((await response.json()) as { type: string }).type, count()]).toEqual([409, 'urn:hopwise:problem:key-in-progress', { runs: 1, sends: 2 }])
    finish()
  })
})
