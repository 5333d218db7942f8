import { once } from 'node:events'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { shutdownTogether, type Drainable, type DrainRunOptions, type HookContext, type ShutdownOptions } from './index.js'
import { attachedServer, get, phase, signal } from './testing/attached-server.js'
import { fakeHop } from './testing/fake-hop.js'
import { hang, outcomes, turn } from './testing/shutdown-steps.js'

/** What happened, in order, and a hook that tells when it begins and ends. */
function diary() {
  const lines: string[] = []
  const told = (what: string) => void lines.push(what)
  const hook = (name: string, work: (context: HookContext) => void | Promise<void> = () => {}) => ({
    name,
    run: async (context: HookContext) => {
      told(`${name} begins`)
      await work(context)
      told(`${name} ends`)
    },
  })
  return { lines, told, hook }
}

beforeEach(() => {
  vi.useFakeTimers()
})

afterEach(() => {
  vi.useRealTimers()
})

describe('the order', () => {
  test('before hooks one after another, the drains beside the tasks, after hooks one after another', async () => {
    const { lines, told, hook } = diary()
    const [one, two] = [fakeHop((what) => told(`one: ${what}`)), fakeHop((what) => told(`two: ${what}`))]
    const [deregistered, stopped] = [signal(), signal()]
    const shutdown = shutdownTogether([one, two], {
      before: [hook('deregister', () => deregistered.given), hook('wait')],
      tasks: [hook('queue', () => stopped.given), hook('job')],
      after: [hook('database', oneSecond), hook('log')],
    })
    const run = shutdown.run()
    await turn()
    expect(lines.splice(0)).toEqual(['deregister begins'])
    expect([one.phase, two.phase]).toEqual(['ready', 'ready'])
    deregistered.give()
    await turn()
    expect(lines.splice(0)).toEqual(['deregister ends', 'wait begins', 'wait ends', 'one: drain', 'two: drain', 'queue begins', 'job begins', 'job ends'])
    one.finish()
    stopped.give()
    await turn()
    expect(lines.splice(0)).toEqual(['one: closed', 'queue ends'])
    two.finish()
    await turn()
    expect(lines.splice(0)).toEqual(['two: closed', 'database begins'])
    await vi.advanceTimersByTimeAsync(1_000)
    expect(lines.splice(0)).toEqual(['database ends', 'log begins', 'log ends'])
    const report = await run
    expect(report).toMatchObject({ servers: [{ mode: 'refuse-first' }, { mode: 'refuse-first' }], clean: true, milliseconds: 1_000 })
    expect(report.hooks.map(({ name, stage, outcome, milliseconds }) => [name, stage, outcome, milliseconds])).toEqual([
      ['deregister', 'before', 'done', 0],
      ['wait', 'before', 'done', 0],
      ['queue', 'task', 'done', 0],
      ['job', 'task', 'done', 0],
      ['database', 'after', 'done', 1_000],
      ['log', 'after', 'done', 0],
    ])
  })

  test('a task holds the after hooks as a server does', async () => {
    const { lines, told, hook } = diary()
    const hop = fakeHop(told)
    const stopped = signal()
    void shutdownTogether([hop], { tasks: [hook('queue', () => stopped.given)], after: [hook('database')] }).run()
    hop.finish()
    await turn()
    expect(lines).toEqual(['drain', 'queue begins', 'closed'])
    stopped.give()
    await turn()
    expect(lines.slice(3)).toEqual(['queue ends', 'database begins', 'database ends'])
  })

  test('without before hooks the servers are not ready from the moment of the call', () => {
    const hop = fakeHop()
    void shutdownTogether([hop]).run()
    expect(hop.phase).toBe('draining')
  })

  test('after hooks are given the reports, others are not', async () => {
    const given: HookContext[] = []
    const note = (context: HookContext) => void given.push(context)
    const hop = fakeHop()
    const run = shutdownTogether([hop], { before: [note], tasks: [note], after: [note] }).run()
    await turn()
    hop.finish()
    const { servers } = await run
    expect(given.map(({ reports }) => reports)).toEqual([undefined, undefined, servers])
  })

  test('nothing at all is over at once', async () => {
    expect(await shutdownTogether([]).run()).toEqual({ servers: [], hooks: [], milliseconds: 0, clean: true })
  })
})

describe('hooks that do not go well', () => {
  test('what is thrown, at once or later, is reported and told, and stops nothing', async () => {
    const shutdown = shutdownTogether([], {
      before: [
        function deregister() {
          throw new Error('no route')
        },
        () => Promise.reject('a string'),
      ],
      tasks: [{ name: 'queue', run: () => Promise.reject(new Error('gone')) }, () => {}],
      after: [() => {}],
    })
    const told: unknown[] = []
    shutdown.on('hook', ({ name }) => told.push(name))
    shutdown.on('done', ({ clean }) => told.push(clean))
    const report = await shutdown.run()
    expect(outcomes(report)).toEqual([
      ['deregister', 'failed', 'no route'],
      ['before 2', 'failed', 'a string'],
      ['queue', 'failed', 'gone'],
      ['task 2', 'done'],
      ['after 1', 'done'],
    ])
    expect(told.toSorted()).toEqual(['after 1', 'before 2', 'deregister', false, 'queue', 'task 2'].toSorted())
  })

  test('a hook that hangs has its own timeout, or that of all; its signal is aborted then', async () => {
    const signals: AbortSignal[] = []
    const hangs = ({ signal: given }: HookContext) => {
      signals.push(given)
      return hang()
    }
    const run = shutdownTogether([], { hookTimeout: '2s', before: [hangs], after: [{ name: 'slow', run: hangs, timeout: '1m' }, hangs] }).run()
    await vi.advanceTimersByTimeAsync(1_999)
    expect(signals.map(({ aborted }) => aborted)).toEqual([false])
    await vi.advanceTimersByTimeAsync(1)
    expect(signals.map(({ aborted }) => aborted)).toEqual([true, false])
    await vi.advanceTimersByTimeAsync(62_000)
    const report = await run
    expect(outcomes(report)).toEqual([
      ['hangs', 'timed-out', 'not done within 2s'],
      ['slow', 'timed-out', 'not done within 60s'],
      ['hangs', 'timed-out', 'not done within 2s'],
    ])
    expect([report.clean, report.milliseconds]).toEqual([false, 64_000])
    expect(vi.getTimerCount()).toBe(0)
  })

  test('by default it is 5 s', async () => {
    const run = shutdownTogether([], { after: [hang] }).run()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(outcomes(await run)).toEqual([['hang', 'timed-out', 'not done within 5s']])
  })

  test('what it throws after its time is told, and is no unhandled rejection', async () => {
    const late = signal()
    const shutdown = shutdownTogether([], { after: [{ name: 'database', run: () => late.given.then(() => Promise.reject(new Error('at last'))) }] })
    const told: unknown[] = []
    shutdown.on('lateFailure', (event) => told.push(event))
    const run = shutdown.run()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(await run).toMatchObject({ hooks: [{ outcome: 'timed-out' }] })
    expect(told).toEqual([])
    late.give()
    await turn()
    expect(told).toEqual([{ name: 'database', stage: 'after', error: 'at last' }])
  })

  test('a hook that gives up because of its signal is no late failure', async () => {
    const shutdown = shutdownTogether([], {
      after: [({ signal: given }) => new Promise((_resolve, reject) => given.addEventListener('abort', () => reject(given.reason as Error)))],
    })
    const told = vi.fn<() => void>()
    shutdown.on('lateFailure', told)
    const run = shutdown.run()
    await vi.advanceTimersByTimeAsync(5_000)
    expect(outcomes(await run)).toEqual([['after 1', 'timed-out', 'not done within 5s']])
    expect(told).not.toHaveBeenCalled()
  })

  test('a drain that rejects, which no hop does, is reported as a failed task', async () => {
    const broken: Drainable = { phase: 'ready', drain: () => Promise.reject(new Error('no socket')) }
    const hop = fakeHop()
    hop.finish()
    const report = await shutdownTogether([hop, broken], { after: [() => {}] }).run()
    expect(outcomes(report)).toEqual([['drain of server 2', 'failed', 'no socket'], ['after 1', 'done']])
    expect([report.servers.length, report.clean]).toEqual([1, false])
  })

  test('a connection that was cut at the deadline is not clean', async () => {
    const hop = fakeHop()
    const run = shutdownTogether([hop]).run()
    hop.finish(2)
    expect(await run).toMatchObject({ clean: false, hooks: [] })
  })
})

describe('how long tasks have', () => {
  const plan = (deadline: number) => ({ drain: { deadline } })

  test.each<[string, Drainable[], ShutdownOptions, DrainRunOptions, number]>([
    ['the deadline of the options', [fakeHop(undefined, plan(9_000))], { deadline: '3s' }, {}, 3_000],
    ['the deadline of the run', [], { deadline: '3s' }, { deadline: '4s' }, 4_000],
    ["the longest of the servers' plans", [fakeHop(undefined, plan(7_000)), fakeHop(undefined, plan(9_000)), fakeHop()], {}, {}, 9_000],
    ['25 s where nobody knows', [fakeHop()], {}, {}, 25_000],
  ])('%s', async (_what, hops, options, runOptions, expected) => {
    const shutdown = shutdownTogether(hops, { ...options, tasks: [{ name: 'queue', run: hang }, { name: 'own', run: hang, timeout: '30s' }] })
    const ended: unknown[] = []
    shutdown.on('hook', ({ name, error, milliseconds }) => ended.push([name, error, milliseconds]))
    void shutdown.run(runOptions)
    await vi.advanceTimersByTimeAsync(30_000)
    expect(ended).toEqual([
      ['queue', "not done by the drain's deadline", expected],
      ['own', 'not done within 30s', 30_000],
    ])
  })
})

describe('one run for all who call', () => {
  test('the hooks run once, and all get one report', async () => {
    const before = vi.fn<() => void>()
    const hop = fakeHop()
    const shutdown = shutdownTogether([hop], { before: [before] })
    const runs = [shutdown.run(), shutdown.run()]
    await turn()
    hop.finish()
    const [first, second] = await Promise.all(runs)
    expect(await shutdown.run()).toBe(first)
    expect(second).toBe(first)
    expect(before).toHaveBeenCalledTimes(1)
    expect(hop.calls).toEqual([{ signal: expect.any(AbortSignal) as AbortSignal }])
  })

  test('a later deadline goes to the drains, and to the tasks; it only brings the end nearer', async () => {
    const hop = fakeHop()
    const shutdown = shutdownTogether([hop], { deadline: '20s', tasks: [hang] })
    const ended: unknown[] = []
    shutdown.on('hook', ({ milliseconds }) => ended.push(milliseconds))
    void shutdown.run()
    await vi.advanceTimersByTimeAsync(1_000)
    void shutdown.run({ deadline: '2s' })
    void shutdown.run({ deadline: '1h' })
    expect(hop.calls.map((options) => options?.deadline)).toEqual([20_000, 2_000, 3_600_000])
    await vi.advanceTimersByTimeAsync(30_000)
    expect(ended).toEqual([3_000])
  })

  test('one that comes before the drains begin goes to them when they do', async () => {
    const hop = fakeHop()
    const deregistered = signal()
    const shutdown = shutdownTogether([hop], { before: [() => deregistered.given] })
    void shutdown.run()
    void shutdown.run({ deadline: '2s' })
    void shutdown.run({ deadline: '3s' })
    deregistered.give()
    await turn()
    expect(hop.calls.map((options) => options?.deadline)).toEqual([undefined, 2_000])
  })

  test('signals of those who called are let go of at the end', async () => {
    const { signal: given } = new AbortController()
    const removed = vi.spyOn(given, 'removeEventListener')
    await shutdownTogether([]).run({ signal: given })
    await turn()
    expect(removed).toHaveBeenCalledTimes(1)
  })
})

test('two real servers and a task: what is in flight on both is served', async () => {
  vi.useRealTimers()
  const [go, stopped] = [signal(), signal()]
  const policy = { drain: { idleGrace: 20, deadline: '10s' } } as const
  const servers = await Promise.all([1, 2].map(() => attachedServer(async (_request, response) => {
    await go.given
    response.end('late')
  }, policy)))
  const clients = await Promise.all(servers.map(async ({ connect, server }) => {
    const client = await connect()
    client.write(get('/'))
    await once(server, 'request')
    return client
  }))
  const shutdown = shutdownTogether(servers.map(({ hop }) => hop), { tasks: [() => stopped.given] })
  const run = shutdown.run()
  expect(servers.map(({ hop }) => hop.ready)).toEqual([false, false])
  await Promise.all(servers.map(({ hop }) => phase(hop, 'draining')))
  go.give()
  expect((await Promise.all(clients.map((client) => client.response()))).map(({ body }) => body.toString())).toEqual(['late', 'late'])
  stopped.give()
  expect(await run).toMatchObject({ servers: [{ inFlight: 1, closed: { announced: 1 } }, { inFlight: 1, closed: { announced: 1 } }], clean: true })
})

describe('what is wrong is said at once', () => {
  test.each([
    [{ afterDrain: () => {} }, 'shutdownTogether: unknown option "afterDrain"; allowed: before, tasks, after, hookTimeout, deadline'],
    [{ after: () => {} }, 'shutdownTogether: option "after" is a function; allowed: a list of hooks'],
    [{ after: ['close'] }, 'shutdownTogether: hook "after 1": expected an options object, got "close"'],
    [{ tasks: [() => {}, { run: () => {} }] }, 'shutdownTogether: hook "task 2": option "name" is required'],
    [{ before: [{ name: 'x', run: () => {}, timeOut: 1 }] }, 'shutdownTogether: hook "before 1": unknown option "timeOut"; allowed: name, run, timeout'],
    [{ before: [{ name: 'x', run: () => {}, timeout: 9 }] }, 'option "timeout" is 9'],
    [{ hookTimeout: '11m' }, 'option "hookTimeout" is "11m"'],
    [{ deadline: '2h' }, 'option "deadline" is "2h"'],
  ])('%j', (options, message) => {
    expect(() => shutdownTogether([], options as object)).toThrow(message)
  })

  test.each([{ deadline: 'soon' }, { signal: true }, { force: true }])('run(%j)', (options) => {
    const hop = fakeHop()
    expect(() => shutdownTogether([hop]).run(options as object)).toThrow(/^run: /)
    expect(hop.phase).toBe('ready')
  })

  test('something that cannot drain', () => {
    expect(() => shutdownTogether([fakeHop(), {} as Drainable])).toThrow('shutdownTogether: hops[1] has no drain(); expected what attach() gives')
  })
})

async function oneSecond(): Promise<void> {
  await new Promise((resolve) => setTimeout(resolve, 1_000))
}
