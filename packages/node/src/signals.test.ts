import { createServer } from 'node:http'
import { fileURLToPath } from 'node:url'
import { rawConnect, rawRequest, type RawConnection } from '@hopwise/testkit/adapter'
import { describe, expect, onTestFinished, test } from 'vitest'
import { attach, shutdownTogether, type HopSignalOptions } from './index.js'
import { get } from './testing/attached-server.js'
import { startCommand, startProcess, type StartedProcess } from './testing/started-process.js'

interface Differences {
  readonly servers?: number
  readonly apart?: boolean
  readonly ownListener?: boolean
  readonly idleGrace?: number
  readonly uncaughtException?: boolean
  readonly terminal?: boolean
  readonly hooks?: Readonly<Partial<Record<'before' | 'task' | 'after', readonly ('done' | 'throws' | 'rejects' | 'hangs')[]>>>
}

const start = (differences: Differences = {}): StartedProcess => startProcess('testing/signal-server.mjs', [JSON.stringify(differences)])

/** A request that is being answered; the server waits for a line on its standard input. */
async function inFlight(server: StartedProcess): Promise<RawConnection> {
  const client = await rawConnect(await server.port())
  onTestFinished(() => client.destroy())
  client.write(get('/slow'))
  await server.line('slow')
  return client
}

const go = (server: StartedProcess): void => void server.child.stdin?.write('go\n')

describe('signals', () => {
  test.each(['SIGTERM', 'SIGINT'] as const)('%s: what is in flight is served, the hooks run in order, then the process ends by that signal', async (signal) => {
    const server = start({ hooks: { before: ['done', 'done'], task: ['done'], after: ['done', 'done'] } })
    const client = await inFlight(server)
    server.child.kill(signal)
    await server.line('draining')
    go(server)
    expect(await client.response()).toMatchObject({ status: 200 })
    expect(await server.exited).toEqual([null, signal])
    expect(server.lines.slice(2)).toEqual(['before done', 'before done', 'announcing', 'task done', 'draining', 'closed', 'after done', 'after done'])
    expect(server.errors()).toBe('')
  })

  test('a second signal ends the process at once, by the second one', async () => {
    const server = start({ hooks: { after: ['done'] } })
    await inFlight(server)
    server.child.kill('SIGTERM')
    await server.line('draining')
    server.child.kill('SIGINT')
    expect(await server.exited).toEqual([null, 'SIGINT'])
    expect(server.lines).not.toContain('closed')
    expect(server.lines).not.toContain('after done')
  })

  test.each([
    [true, 'SIGINT', 'hopwise: shutting down; Ctrl-C once more ends it at once\n'],
    [true, 'SIGTERM', ''],
    [false, 'SIGINT', ''],
  ] as const)('at a terminal (%s), %s says what to do if it takes long', async (terminal, signal, said) => {
    const server = start({ terminal, servers: 2, apart: true })
    await inFlight(server)
    server.child.kill(signal)
    await server.line('draining')
    go(server)
    await server.exited
    expect(server.errors()).toBe(said)
  })

  test('a second signal ends a hook that hangs, too', async () => {
    const server = start({ hooks: { before: ['hangs'] } })
    await server.port()
    server.child.kill('SIGTERM')
    await server.line('before hangs')
    server.child.kill('SIGTERM')
    expect(await server.exited).toEqual([null, 'SIGTERM'])
    expect(server.lines).not.toContain('draining')
  })

  test.each([
    ['before', 'throws', 'the before hook "before 1" failed: not today'],
    ['task', 'rejects', 'the task hook "task 1" failed: not today'],
    ['after', 'throws', 'the after hook "after 1" failed: not today'],
    ['after', 'hangs', 'the after hook "after 1" timed out: not done within 50ms'],
  ] as const)('a %s hook that %s is told, the rest goes on, and the process ends with 1', async (stage, deed, told) => {
    const server = start({ hooks: { [stage]: [deed, 'done'] } })
    await server.port()
    server.child.kill('SIGTERM')
    expect(await server.exited).toEqual([1, null])
    expect(server.lines).toEqual(expect.arrayContaining(['closed', `${stage} ${deed}`, `${stage} done`]))
    expect(server.errors()).toBe(`hopwise: ${told}\n`)
  })

  test('a shell sees 128 + the number of the signal', async () => {
    const script = fileURLToPath(new URL('testing/signal-server.mjs', import.meta.url))
    const shell = startCommand('sh', ['-c', '"$0" "$1" & echo "pid $!"; wait $!; echo "status $?"', process.execPath, script])
    const pid = Number((await shell.line('pid')).split(' ')[1])
    await shell.port()
    process.kill(pid, 'SIGTERM')
    expect(await shell.line('status')).toBe('status 143')
  })

  test('where the process does not die of its signal, it exits with 128 + its number', async () => {
    const server = start({ ownListener: true })
    await server.port()
    server.child.kill('SIGTERM')
    expect(await server.exited).toEqual([143, null])
    expect(server.lines).toEqual(expect.arrayContaining(['closed', 'heard']))
  })

  test('two servers and a task in one drain', async () => {
    const server = start({ servers: 2, hooks: { task: ['done'], after: ['done'] } })
    const first = await inFlight(server)
    const second = await rawConnect(Number((await server.line('port1')).split(' ')[1]))
    onTestFinished(() => second.destroy())
    second.write(get('/slow'))
    await server.line('slow 1')
    server.child.kill('SIGTERM')
    await server.line('draining 1')
    go(server)
    expect((await first.response()).field('connection')).toBe('close')
    expect((await second.response()).field('connection')).toBe('close')
    expect(await server.exited).toEqual([null, 'SIGTERM'])
    expect(server.lines.filter((line) => /task|closed|after/.test(line)).toSorted()).toEqual(['after done', 'closed', 'closed 1', 'task done'])
    expect(server.lines.at(-1)).toBe('after done')
  })

  test('two that listen apart: the process ends when both are done', async () => {
    const server = start({ servers: 2, apart: true })
    const client = await inFlight(server)
    server.child.kill('SIGTERM')
    await server.line('closed 1')
    go(server)
    expect(await client.response()).toMatchObject({ status: 200 })
    expect(await server.exited).toEqual([null, 'SIGTERM'])
  })
})

describe('uncaught exceptions', () => {
  test.each([
    ['/throw', 'uncaught exception'],
    ['/reject', 'rejection that nobody handled'],
  ])('%s: told with its stack, what is in flight is served, and the process ends with 1', async (target, told) => {
    const server = start({ uncaughtException: true, hooks: { after: ['done'] } })
    const client = await inFlight(server)
    await rawRequest(await server.port(), get(target))
    await server.line('draining')
    go(server)
    expect(await client.response()).toMatchObject({ status: 200 })
    expect(await server.exited).toEqual([1, null])
    expect(server.lines.slice(-2)).toEqual(['closed', 'after done'])
    expect(server.errors()).toContain(`hopwise: ${told}, shutting down: Error: not today\n    at `)
  })

  test('a second one ends the process at once', async () => {
    const server = start({ uncaughtException: true, idleGrace: 10_000 })
    await inFlight(server)
    const other = await rawConnect(await server.port())
    await rawRequest(await server.port(), get('/throw'))
    await server.line('draining')
    other.write(get('/throw'))
    expect(await server.exited).toEqual([1, null])
    expect(server.lines).not.toContain('closed')
    expect(server.errors()).toContain('hopwise: uncaught exception, the second one, ending at once: Error: not today')
    other.destroy()
  })

  test('a signal after one ends the process at once', async () => {
    const server = start({ uncaughtException: true })
    await inFlight(server)
    await rawRequest(await server.port(), get('/throw'))
    await server.line('draining')
    server.child.kill('SIGTERM')
    expect(await server.exited).toEqual([null, 'SIGTERM'])
    expect(server.lines).not.toContain('closed')
  })

  test('the first one in the drain of a signal is told, the drain goes on, and the process ends with 1', async () => {
    const server = start({ uncaughtException: true, idleGrace: 10_000 })
    const client = await inFlight(server)
    const other = await rawConnect(await server.port())
    server.child.kill('SIGTERM')
    await server.line('draining')
    other.write(get('/throw'))
    await other.response()
    other.destroy()
    go(server)
    expect(await client.response()).toMatchObject({ status: 200 })
    expect(await server.exited).toEqual([1, null])
  })

  test('without the option Node ends the process as ever', async () => {
    const server = start()
    await inFlight(server)
    await rawRequest(await server.port(), get('/throw')).catch(() => undefined)
    expect(await server.exited).toEqual([1, null])
    expect(server.lines).not.toContain('draining')
  })
})

describe('options', () => {
  test.each([
    [{ signals: ['SIGNOPE'] }, 'listenSignals: option "signals" is an array; allowed: a list of signal names, without SIGKILL and SIGSTOP'],
    [{ signals: ['SIGKILL'] }, 'option "signals"'],
    [{ signals: 'SIGTERM' }, 'option "signals"'],
    [{ uncaughtException: 'yes' }, 'listenSignals: option "uncaughtException" is "yes"'],
    [{ signal: [] }, 'listenSignals: unknown option "signal"; allowed: signals, uncaughtException, before, tasks, after, hookTimeout, deadline'],
    [{ after: [{ name: 'database' }] }, 'listenSignals: hook "after 1": option "run" is required'],
  ])('of a hop: %j is an error', (options, message) => {
    expect(() => attach(createServer()).listenSignals(options as HopSignalOptions)).toThrow(message)
  })

  test('a shutdown has its own already', () => {
    expect(() => shutdownTogether([]).listenSignals({ after: [] } as object)).toThrow('listenSignals: unknown option "after"; allowed: signals, uncaughtException')
  })

  test('listening can be ended', () => {
    const counts = () => ['SIGTERM', 'SIGHUP', 'uncaughtException'].map((event) => process.listenerCount(event))
    const before = counts()
    const stop = attach(createServer()).listenSignals({ signals: ['SIGTERM', 'SIGHUP'], uncaughtException: true })
    expect(counts()).toEqual(before.map((count) => count + 1))
    stop()
    expect(counts()).toEqual(before)
  })
})
