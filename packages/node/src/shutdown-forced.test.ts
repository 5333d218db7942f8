import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { shutdownTogether, type HookContext } from './index.js'
import { attachedServer, get, signal } from './testing/attached-server.js'
import { fakeHop } from './testing/fake-hop.js'
import { hang, outcomes, turn } from './testing/shutdown-steps.js'

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('forced', () => {
  const forced = 'the shutdown was forced'

  test.each(['before', 'task', 'after'] as const)('while a %s hook hangs: the end comes at once, and its signal is aborted', async (stage) => {
    const hop = fakeHop()
    if (stage === 'after') hop.finish()
    let context: HookContext | undefined
    const hangs = (given: HookContext) => {
      context = given
      return hang()
    }
    const shutdown = shutdownTogether([hop], { [stage === 'task' ? 'tasks' : stage]: [{ name: 'hook', run: hangs, timeout: '10m' }] })
    const controller = new AbortController()
    const run = shutdown.run()
    void shutdown.run({ signal: controller.signal })
    await turn()
    controller.abort()
    const report = await run
    expect(outcomes(report)).toEqual([['hook', 'timed-out', forced]])
    expect(context?.signal).toMatchObject({ aborted: true, reason: new Error(forced) })
    expect([hop.phase, report.clean]).toEqual(['closed', false])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('hooks that had not run are called all the same, and have a turn: what closes at once is closed', async () => {
    vi.useRealTimers()
    const aborted: boolean[] = []
    const closes = ({ signal: given }: HookContext) => void aborted.push(given.aborted)
    const closesSoon = async (context: HookContext) => {
      await Promise.resolve()
      closes(context)
    }
    const report = await shutdownTogether([fakeHop()], { before: [closes], tasks: [closesSoon], after: [closesSoon, hang, closes] }).run({ signal: AbortSignal.abort() })
    expect(aborted).toEqual([true, true, true, true])
    expect(outcomes(report)).toEqual([['closes', 'done'], ['closesSoon', 'done'], ['closesSoon', 'done'], ['hang', 'timed-out', forced], ['closes', 'done']])
    expect([report.servers[0]?.closed.forced, report.clean]).toEqual([1, false])
  })

  test('what a hook throws then is its failure, or a late one', async () => {
    vi.useRealTimers()
    const late = signal()
    const shutdown = shutdownTogether([], {
      after: [
        () => {
          throw new Error('at once')
        },
        { name: 'later', run: () => late.given.then(() => Promise.reject(new Error('later'))) },
      ],
    })
    const told = new Promise((resolve) => shutdown.on('lateFailure', resolve))
    expect(outcomes(await shutdown.run({ signal: AbortSignal.abort() }))).toEqual([['after 1', 'failed', 'at once'], ['later', 'timed-out', forced]])
    late.give()
    expect(await told).toEqual({ name: 'later', stage: 'after', error: 'later' })
  })

  test('after the end it changes nothing', async () => {
    const shutdown = shutdownTogether([])
    const first = await shutdown.run()
    expect(await shutdown.run({ signal: AbortSignal.abort() })).toBe(first)
    expect(first.clean).toBe(true)
  })
})

test('real servers are forced to an end', async () => {
  vi.useRealTimers()
  const { hop, connect, server } = await attachedServer(() => {}, { drain: { deadline: '10s' } })
  const client = await connect()
  client.write(get('/'))
  await once(server, 'request')
  const controller = new AbortController()
  const run = shutdownTogether([hop]).run({ signal: controller.signal })
  controller.abort()
  expect(await run).toMatchObject({ servers: [{ closed: { forced: 1 } }], clean: false })
  await client.closed()
})
